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
  { seed: 15280, defect: 'a save that never answered was never given up where its subscription was closed and opened again meanwhile' },
  {
    seed: 19989,
    defect: 'what a poll brought was let in although events before it, on the reply to an unsubscribe, had just been left out',
  },
  { seed: 23262, defect: 'a late commit of an earlier subscription set the position back behind a later one’s' },
  { seed: 3720, defect: 'a poll left before what a subscribe’s reply had brought was counted: a buffer held its mark and two replies' },
  { seed: 51706, defect: 'a poll left at the moment in which its channel was to be let off: the same' },
  { seed: 584, defect: 'a poll that was called off took the wake of its successor: silence' },
]
