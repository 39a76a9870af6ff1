import type { StartPosition } from '@sfstream/core'
import type { Run, RunState } from './run-record.ts'

/** An event as the org logged it. */
export interface Entry {
  readonly mark: string
  readonly id: string
  readonly at: number
  readonly index: number
  /** How often a bus reset had come before it. */
  readonly epoch: number
  /** Its id meant another event before a reset: who resumes from that one skips this one, and nobody can tell. */
  readonly ambiguous: boolean
  handled: boolean
  finished: boolean
}

/** One channel: what the org logged, what consumers did with it, and what was saved. */
export interface ChannelRecord {
  readonly name: string
  readonly log: readonly Entry[]
  /** Reported gaps: after one, order begins anew. */
  readonly gaps: number
  /** A proxy had its channel replayed twice. */
  mayComeTwice(mark: string): boolean
  /** Subscribe requests sent. */
  readonly subscribes: number
  /** Everything from here on is to be handled; undefined before the first acceptance. */
  readonly wantedFrom: number | undefined
  published(mark: string, id: string): void
  reset(): void
  /** A subscribe request leaves. */
  subscribing(process: number, id: string): void
  /** What the store answered. */
  loaded(process: number, id: string | undefined): void
  resubscribed(from: StartPosition): void
  /** What is logged by now may come twice. */
  replayedTwice(): void
  gap(to: StartPosition): void
  onlyRetained(published: readonly { replayId: string | undefined; retained: boolean }[]): void
  saving(id: string): void
  run(process: number, order: Run['order']): Run
  /** Wanted and not handled. */
  missing(): Entry[]
  /** Everything wanted is finished up to the end of the log. */
  readonly lastFinished: Entry | undefined
}

/** `strangers`: a scenario may publish events of its own, which count for nothing here. */
export function channelRecord(name: string, now: () => number, violate: (what: string) => void, strangers: boolean): ChannelRecord {
  const log: Entry[] = []
  const byMark = new Map<string, Entry[]>()
  const byId = new Map<string, Entry[]>()
  let epoch = 0
  let gaps = 0
  let subscribes = 0
  let twiceTo = 0
  let wantedFrom: number | undefined
  /** A gap was reported whose new beginning is not accepted yet. */
  let beginsAnew = false
  /** Everything before is finished, or never was wanted. */
  let finishedTo = 0
  /** A gap was reported since the last run began. */
  let reported = false
  let current: { run: RunState; process: number } | undefined

  const say = (what: string): void => violate(`${name}: ${what}`)
  const beginAt = (index: number): void => {
    wantedFrom = index
    finishedTo = Math.max(finishedTo, index)
  }
  const advance = (): number => {
    while (finishedTo < log.length && ((log[finishedTo] as Entry).finished || (log[finishedTo] as Entry).ambiguous)) finishedTo++
    return finishedTo
  }
  /** Which unfinished event a position would leave behind. After a reset, ids may come again. */
  const passes = (id: string): string | undefined => {
    const entries = byId.get(id)
    if (!entries) return strangers ? undefined : 'the org never gave that id out'
    const reach = advance()
    const clean = entries.some(({ epoch: of }) => entries.every((entry) => entry.epoch !== of || entry.index < reach))
    return clean ? undefined : `${log[reach]?.mark} (${log[reach]?.id}) is not finished`
  }
  /** The last event before a run, as far as its id is clear. */
  const startOf = ({ start, epoch: of }: RunState): number =>
    start === undefined || start.startsWith('-')
      ? -1
      : (byId
          .get(start)
          ?.filter((entry) => entry.epoch === of)
          .at(-1)?.index ?? -1)
  const mark = (text: string, what: (entry: Entry) => void): void => {
    for (const entry of byMark.get(text) ?? []) what(entry)
  }

  const self: ChannelRecord = {
    name,
    log,
    get gaps() {
      return gaps
    },
    mayComeTwice: (text) => (byMark.get(text)?.[0]?.index ?? twiceTo) < twiceTo,
    get subscribes() {
      return subscribes
    },
    get wantedFrom() {
      return wantedFrom
    },
    published(text, id) {
      // A scenario has reset the bus: ids only ever grow otherwise.
      const before = log.at(-1)
      if (before?.epoch === epoch && BigInt(id) < BigInt(before.id)) self.reset()
      const entry: Entry = {
        mark: text,
        id,
        at: now(),
        index: log.length,
        epoch,
        ambiguous: byId.has(id) && byId.get(id)?.[0]?.epoch !== epoch,
        handled: false,
        finished: false,
      }
      log.push(entry)
      byMark.set(text, [...(byMark.get(text) ?? []), entry])
      byId.set(id, [...(byId.get(id) ?? []), entry])
    },
    reset() {
      epoch++
      // What was not received by now is gone, for everybody.
      if (wantedFrom !== undefined) beginAt(log.length)
    },
    loaded(process, id) {
      if (current?.process === process && current.run.start === undefined) current.run.loaded = id
    },
    subscribing(process, id) {
      subscribes++
      if (!current || current.process !== process || current.run.start !== undefined) return
      current.run.start = id
      current.run.epoch = epoch
      if (beginsAnew || reported) return
      if (id.startsWith('-')) {
        if (current.run.loaded !== undefined) say(`a program began at ${id} though ${current.run.loaded} is stored`)
        return
      }
      const unfinished = passes(id)
      if (unfinished) say(`a program began after ${id}, but ${unfinished}`)
    },
    replayedTwice() {
      twiceTo = log.length
    },
    resubscribed(from) {
      if (from !== 'new' || !beginsAnew) return
      beginsAnew = false
      beginAt(log.length)
    },
    onlyRetained(published) {
      const retained = new Set(published.filter((event) => event.retained).map(({ replayId }) => replayId))
      const first = log.findIndex(({ id }) => retained.has(id))
      if (wantedFrom !== undefined) beginAt(Math.max(wantedFrom, first === -1 ? log.length : first))
    },
    gap(to) {
      gaps++
      reported = true
      if (current) {
        current.run.seen.clear()
        current.run.last = -1
        current.run.start = undefined
      }
      if (to === 'new' || to === 'off') beginsAnew = true
    },
    saving(id) {
      const unfinished = wantedFrom === undefined ? undefined : passes(id)
      if (unfinished) say(`position ${id} was saved, but ${unfinished}`)
    },
    run(process, order) {
      const state: RunState = { start: undefined, loaded: undefined, epoch, last: -1, seen: new Set() }
      current = { run: state, process }
      reported = false
      let accepted = false
      return {
        channel: name,
        process,
        order,
        accepted() {
          if (accepted) return
          accepted = true
          // Nothing stored: a program begins at what is new.
          if (state.start === '-1') beginAt(log.length)
        },
        handed(text) {
          const entries = byMark.get(text)
          if (!entries) return strangers ? undefined : say(`an event was handed out that was never published: ${text}`)
          if (self.mayComeTwice(text) && state.seen.has(entries[0] as Entry)) return
          const start = startOf(state)
          const floor = Math.max(start, order === 'strict' ? state.last : -1)
          const next = entries.find((entry) => entry.index > floor && !state.seen.has(entry))
          if (!next) {
            const { id, index } = entries.at(-1) as Entry
            if (state.seen.has(entries[0] as Entry)) return say(`${text} (${id}) was handed out twice`)
            if (index <= start) return say(`${text} (${id}) was handed out though the program began after ${state.start}`)
            return say(
              `${text} (${id}) was handed out after ${log[state.last]?.mark} (${log[state.last]?.id}), ${state.last - index} later in the log`,
            )
          }
          state.last = Math.max(state.last, next.index)
          state.seen.add(next)
        },
        handled: (text) => mark(text, (entry) => (entry.handled = true)),
        finished: (text) => mark(text, (entry) => (entry.finished = true)),
        returned(text) {
          for (const entry of byMark.get(text) ?? []) state.seen.delete(entry)
          state.last = Math.max(-1, ...[...state.seen].map((entry) => entry.index))
        },
      }
    },
    missing: () => (wantedFrom === undefined ? [] : log.slice(wantedFrom).filter((entry) => !entry.handled && !entry.ambiguous)),
    get lastFinished() {
      return log[advance() - 1]
    },
  }
  return self
}
