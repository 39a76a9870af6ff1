import {
  type BayeuxOptions,
  type ClientStatus,
  type CommonOptions,
  createClient,
  type OrgSession,
  type Platform,
  SfStreamError,
  type StreamingClient,
  type Transport,
} from '@sfstream/core'
import { type VirtualClock, virtualClock } from '@sfstream/mock-org'
import { expect } from 'vitest'
import { gather, type Reading, read } from '../../../core/test/support/rig.ts'
import { platformEvent, type ScriptedOrg, type SeenRequest, scriptedOrg } from '../../../core/test/support/scripted-org.ts'

export const channel = '/event/Order__e'
/** What no text may hold. */
export const secret = 'S3CRET.x_y'
const hourMs = 3_600_000
/** What every request takes. Without it a client that asks without a pause would stop the clock. */
const roundTripMs = 50
/** No server, however it answers, is to be asked more often than this: one request in two seconds, over an hour. */
const maxRequestsPerHour = 1_800

/** What a hostile org answers; undefined leaves it to a friendly one. */
export type Hostility = (request: SeenRequest, org: ScriptedOrg) => Response | Error | 'hold' | undefined

export interface HostileRig {
  client: StreamingClient
  clock: VirtualClock
  org: ScriptedOrg
  reading: Reading
  statuses: ClientStatus[]
}

export interface HostileOptions extends Partial<BayeuxOptions>, Omit<CommonOptions, 'platform'> {
  /** Of every choice made by chance. Under an odd one there is only one token, under an even one a new one each time. */
  seed?: number
  /** How many of the first requests are answered with hostility. */
  times?: number
  /** For how long requests are, in place of `times`. */
  forMs?: number
  /** Called before anything is sent. */
  begun?(clock: VirtualClock, client: StreamingClient): void
}

/** How the rigs of a test file get their bytes; `over-http.ts` changes it. */
export const wire: { transport?(platform: Platform, origin: string): Transport } = {}

/** Errors nobody caught while a rig was up. */
const uncaught: unknown[] = []
const note = (error: unknown): void => void uncaught.push(error)

/**
 * A whole client, reading one channel, against an org that answers the first requests as a test says and is good ever
 * after. Whatever it said: the client is live again and delivers, or its iterator has rejected with a typed error; it has not
 * asked too often; nothing is left behind, nothing polluted, no error unheard, and the token in no text.
 */
export async function withHostileOrg(
  hostility: Hostility,
  { seed = 1, times = Number.POSITIVE_INFINITY, forMs = Number.POSITIVE_INFINITY, begun, ...options }: HostileOptions,
  then: (rig: HostileRig) => Promise<void> | void = () => {},
): Promise<void> {
  const clock = virtualClock({ seed })
  let left = times
  const calmAt = clock.now() + forMs
  const isCalm = (): boolean => left <= 0 || clock.now() >= calmAt
  const org = scriptedOrg(clock.now, (request, self) => {
    if (isCalm()) return undefined
    left--
    return hostility(request, self) as Response
  })
  const natives = prototypes()
  process.on('unhandledRejection', note)
  const { instanceUrl } = org.session
  let tokens = 0
  const session = (): OrgSession => ({ accessToken: `00D000000000001!${secret}${tokens++}`, instanceUrl })
  const platform: Platform = {
    now: clock.now,
    delay: clock.delay,
    random: clock.random,
    async fetch(input, init) {
      expect(String(input)).not.toContain(secret)
      expect(new URL(input).origin).toBe(instanceUrl)
      await new Promise<void>((resolve) => void clock.delay(resolve, roundTripMs))
      if (init?.signal?.aborted) throw init.signal.reason
      return org.fetch(input, init)
    },
  }
  const client = createClient({
    auth: seed % 2 === 1 ? session() : { getSession: () => Promise.resolve(session()) },
    ...(wire.transport && { transport: wire.transport(platform, instanceUrl) }),
    ...options,
    platform,
  })
  begun?.(clock, client)
  const statuses: ClientStatus[] = []
  const told = gather(client.status(), statuses)
  const reading = read(client.subscribe(channel))
  try {
    const storms = (): boolean => recent(org.requests, clock.now()) > maxRequestsPerHour
    // Each answer may ask for a pause of an hour.
    await clock.runUntil(
      () => reading.over || isCalm() || storms(),
      times === Number.POSITIVE_INFINITY ? forMs + hourMs : (times + 1) * 1.1 * hourMs,
    )
    expect(storms(), 'more requests in an hour than any server is to be asked').toBe(false)
    const deadline = clock.now() + 2 * hourMs
    // The org is good from here on. Events of before the channel is asked for again go nowhere, so one comes every minute.
    let delivered = 0
    for (let id = 1_000_000; !reading.over && delivered === 0; id++) {
      if (clock.now() > deadline) expect.unreachable(`silent: state ${client.state}, and no event within two hours of a good org`)
      org.push(platformEvent(id, channel, { CreatedDate: new Date(clock.now()).toISOString() }))
      await clock.advance(60_000)
      delivered = reading.ids.filter((each) => Number(each) >= 1_000_000).length
    }
    if (reading.over) expectTyped(await reading.ended)
    else expect(client.state).toBe('live')
    for (const status of statuses) if ('error' in status && status.error) expectTyped(status.error)
    await then({ client, clock, org, reading, statuses })
    expect(prototypes(), 'built-in prototypes').toEqual(natives)
    expect(uncaught, 'unhandled rejections').toEqual([])
  } finally {
    const stopped = client.stop()
    stopped.catch(() => {})
    await clock.advance(5_000)
    await stopped.catch(() => {})
    await Promise.all([told, reading.ended])
    process.off('unhandledRejection', note)
    uncaught.length = 0
  }
  expect({ timers: clock.pending, held: org.held }).toEqual({ timers: 0, held: 0 })
}

/** One of ours, with something to do first, of a bounded size, and without the token: all the way down. */
export function expectTyped(error: unknown): void {
  expect(error).toBeInstanceOf(SfStreamError)
  expect((error as SfStreamError).remediation).toMatch(/\S/)
  let depth = 0
  for (let each: unknown = error; each !== undefined && depth < 10; depth++) {
    const text = each instanceof Error ? `${each.name} ${each.message} ${JSON.stringify(each)}` : String(each)
    expect(text, 'an error').not.toContain(secret)
    expect(text.length, 'length of an error').toBeLessThan(5_000)
    each = each instanceof Error ? each.cause : undefined
  }
}

/** Requests of the last hour. */
function recent(requests: readonly SeenRequest[], now: number): number {
  let count = 0
  while (count < requests.length && now - (requests[requests.length - 1 - count] as SeenRequest).atMs <= hourMs) count++
  return count
}

function prototypes(): string[][] {
  return [Object.prototype, Array.prototype, Function.prototype, String.prototype, Promise.prototype, Map.prototype].map((each) =>
    Reflect.ownKeys(each).map(String),
  )
}
