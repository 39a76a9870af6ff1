/** A defect that the simulation found, and a seed that shows it: each failed before it was mended. */
export interface Regression {
  seed: number
  defect: string
}

export const regressions: readonly Regression[] = [
  {
    seed: 42,
    defect: 'a clock that runs ahead let the load balancer’s cookie expire on arrival: every session was lost at once, for ever',
  },
  { seed: 3951, defect: 'a clock that was set back an hour put off every deadline by that hour: a held request was waited for in silence' },
  { seed: 5530, defect: 'the same on a poll: no event came until the clock had caught up' },
  { seed: 590, defect: 'a clock that runs ahead dated the first acceptance too late: new events counted as older ones and were dropped' },
  { seed: 2507, defect: 'the same before anything had been received' },
  { seed: 249, defect: 'the same after a reply that broke off' },
  {
    seed: 841,
    defect:
      'events on the reply to an unsubscribe crossed with those of a poll: handed out in the wrong order, and the position passed the missing ones',
  },
  { seed: 1973, defect: 'the same on the reply to a subscribe' },
  { seed: 2269, defect: 'the same when a session resumed' },
  { seed: 457, defect: 'what a poll brought before a subscribe was answered overtook what came with the answer' },
  {
    seed: 2049,
    defect:
      'a paused channel whose old events filled several replies was resumed before they were out: they overtook the replay, and events were lost',
  },
  { seed: 1884, defect: 'a first reply that broke off was handed out, and a full replay then brought older events after it' },
  { seed: 281, defect: 'a save that never answered kept its key from being saved for ever' },
  { seed: 1090, defect: 'an event that was committed, and in hand when its loop was left, was handed to the next loop' },
]
