import {
  type ClientOptions,
  type ClientStatus,
  createClient,
  type DrainBounds,
  type ReplayStore,
  StateError,
  type StreamEvent,
  type StreamingClient,
} from '@sfstream/core'
import { startingAt } from './starting-at.ts'

export interface DrainOptions {
  channels: readonly string[]
  /** Called for each event in order, one at a time in each channel. When it rejects, the drain rejects, and the event comes again. */
  handle(event: StreamEvent): unknown
  /** Bounds for each channel. By default it is caught up after 3 s of quiet, and ends after 20 s or 10,000 events in any case. */
  until?: DrainBounds
  /**
   * Where a channel begins that has no position yet: at everything retained (default), or at new events. With 'new', what comes between
   * two drains is not seen until an event has come while one ran.
   */
  begin?: 'all' | 'new'
}

export interface DrainReport {
  channel: string
  /** Events handled. */
  events: number
  /** Why it ended: `idle` (caught up), `maxEvents`, `maxMs`, or `reached-start`. */
  ended: string | undefined
  /** What could not be honoured: events between these positions may be missing, or come again. Empty where all is well. */
  gaps: readonly ReplayGap[]
}

/** As of `status()`. */
export type ReplayGap = Extract<ClientStatus, { type: 'replayGap' }>

/**
 * Works off what has come since the last time, and ends: for cron triggers, queues and other invocations that are short. The
 * positions are durable when it resolves, so the next one goes on from there; when it rejects, what was handled stays handled.
 *
 * @throws StateError `bad_option` for no channels, or a client without a store that outlives the invocation; whatever a handler
 * threw; the coded error of a channel that failed
 */
export async function drain(client: ClientOptions & { replayStore: ReplayStore }, options: DrainOptions): Promise<DrainReport[]> {
  const { channels, handle, until, begin = 'all' } = options ?? {}
  const refuse = (message: string, remediation: string): StateError => new StateError({ code: 'bad_option', message, remediation })
  if (!Array.isArray(channels) || channels.length === 0)
    throw refuse('drain: there is no list of channels.', "Pass channels: ['/event/Order__e'].")
  if (typeof handle !== 'function') throw refuse('drain: handle is no function.', 'Pass what is to be called for each event.')
  if (begin !== 'all' && begin !== 'new') throw refuse(`drain: begin is '${String(begin)}'.`, "Pass 'all' or 'new'.")
  if (until !== undefined && (typeof until !== 'object' || until === null))
    throw refuse(
      `drain: until is ${JSON.stringify(until)}.`,
      'Pass bounds: { idleMs, maxMs, maxEvents }. It ends when it is caught up in any case.',
    )
  if (!client?.replayStore) {
    throw refuse(
      'A drain without a replayStore would begin anew each time.',
      'Pass kvReplayStore(env.BINDING) or durableObjectReplayStore(storage).',
    )
  }
  const { idleMs = 3_000, maxMs = 20_000, maxEvents = 10_000 } = until ?? {}
  const draining = createClient({ ...client, replayStore: startingAt(begin, client.replayStore) })
  const gaps: ReplayGap[] = []
  const watch = async (): Promise<void> => {
    for await (const status of draining.status()) if (status.type === 'replayGap') gaps.push(status)
  }
  const watching = watch()
  const drains = channels.map((channel) => drainChannel(draining, channel, { idleMs, maxMs, maxEvents }, handle))
  const drained = await Promise.all(drains).catch(async (error: unknown) => {
    // Why it failed says more than what could not be saved because of it.
    await draining.stop().catch(() => {})
    throw error
  })
  await draining.stop()
  await watching
  return drained.map((each) => ({ ...each, gaps: gaps.filter(({ channel }) => channel === each.channel) }))
}

async function drainChannel(
  client: StreamingClient,
  channel: string,
  until: DrainBounds,
  handle: (event: StreamEvent) => unknown,
): Promise<Omit<DrainReport, 'gaps'>> {
  const subscription = client.subscribe(channel, { until })
  let events = 0
  await subscription.process(async (event) => {
    await handle(event)
    events++
  })
  return { channel, events, ended: subscription.stats.ended }
}
