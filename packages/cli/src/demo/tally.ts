export interface PublishedEvent {
  channel: string
  replayId: string
}

export interface HandledEvent extends PublishedEvent {
  /** 0 for the first consumer process, 1 for the one started after the kill. */
  run: number
}

export interface Tally {
  published: number
  delivered: number
  lost: number
  /** Handled more often than a kill excuses, or never published at all. */
  duplicated: number
  /** Handled again by a later process because the kill came before their position was on disk: what "at least once" allows. */
  redelivered: number
}

/**
 * Holds what the consumers said they handled against what the org says was published. `saved[run]` holds the positions that
 * were on disk when that process was killed, per channel.
 */
export function tally(
  published: readonly PublishedEvent[],
  handled: readonly HandledEvent[],
  saved: readonly ReadonlyMap<string, string>[],
): Tally {
  const order = new Map<string, number>()
  for (const [at, event] of published.entries()) order.set(name(event), at)
  const times = new Map<string, number[]>()
  let duplicated = 0
  let redelivered = 0
  for (const event of handled) {
    const at = order.get(name(event))
    const runs = times.get(name(event)) ?? []
    if (at === undefined || runs.includes(event.run)) duplicated++
    else if (runs.length > 0) {
      const position = saved[runs.at(-1) ?? 0]?.get(event.channel)
      const savedAt = position === undefined ? -1 : (order.get(name({ channel: event.channel, replayId: position })) ?? -1)
      if (at > savedAt) redelivered++
      else duplicated++
    }
    times.set(name(event), [...runs, event.run])
  }
  const delivered = published.filter((event) => times.has(name(event))).length
  return { published: published.length, delivered, lost: published.length - delivered, duplicated, redelivered }
}

/** The last line of the demo. */
export function tallyLine({ published, delivered, lost, duplicated, redelivered }: Tally): string {
  const line = `published ${published}, delivered ${delivered}, lost ${lost}, duplicated ${duplicated}`
  return redelivered > 0 ? `${line}, redelivered ${redelivered}` : line
}

function name({ channel, replayId }: PublishedEvent): string {
  return `${channel} ${replayId}`
}
