import type { RequestKind } from '@sfstream/mock-org'
import type { Settings } from './plan.ts'
import type { Random } from './random.ts'

/** Which consumer, and how it behaves for a while. */
export type Mood = 'fast' | 'slow' | 'throwing' | 'breaking' | 'hung'

/** What may befall a run. */
export type Action =
  | { type: 'publish'; channel: string; count: number; bytes: number; group: boolean; twice: boolean }
  | { type: 'lose-sessions'; kicked: boolean }
  | { type: 'revoke-tokens' }
  /** The server takes nodes away and says goodbye. */
  | { type: 'scale-out' }
  | { type: 'migrate' }
  | { type: 'reset-ids' }
  | { type: 'busy'; on: 'handshake' | 'connect' | 'subscribe'; times: number }
  | { type: 'protect'; times: number }
  /** The day's deliveries, or the client slots, are used up for a while. */
  | { type: 'limit'; what: 'events' | 'clients'; forMs: number }
  | { type: 'login-down'; forMs: number }
  | { type: 'offline'; forMs: number }
  | { type: 'cut-connections' }
  | { type: 'lost'; on: RequestKind; what: 'request' | 'reply'; times: number }
  | { type: 'cut'; on: RequestKind; afterBytes: number }
  | { type: 'cut-after-body'; on: RequestKind }
  | { type: 'drip'; bytes: number; everyMs: number }
  | { type: 'delay'; on: RequestKind; ms: number; times: number }
  | { type: 'hold'; on: RequestKind }
  | { type: 'status'; on: RequestKind; status: number; retryAfterS: number | undefined; times: number }
  /** A proxy cuts whatever takes 60 s, with a page of its own. */
  | { type: 'proxy'; times: number }
  /** Something else in place of JSON, with status 200. */
  | { type: 'garble'; on: RequestKind; with: Garble; times: number }
  /** The messages of a reply in another order, and meta replies twice. */
  | { type: 'shuffle'; times: number }
  /** A proxy sends a request twice; the first answer is passed on. */
  | { type: 'twice'; on: 'handshake' | 'subscribe' | 'unsubscribe' }
  | { type: 'sleep'; forMs: number; timers: 'late' | 'stopped'; sockets: 'dead' | 'kept' }
  | { type: 'clock-jump'; byMs: number }
  /** At the so-manieth time from now that the program touches its surroundings. */
  | { type: 'kill'; afterTouches: number; downMs: number }
  | { type: 'restart' }
  | { type: 'store'; how: 'slow' | 'failing' | 'hanging'; forMs: number }
  | { type: 'mood'; channel: string; mood: Mood; forMs: number }
  /** A named scenario of the org; it lasts until the end of the faults. */
  | { type: 'scenario'; id: string }

export type Garble = 'html' | 'empty' | 'object' | 'truncated' | 'bom'

const anyRequest: readonly RequestKind[] = ['handshake', 'connect', 'connect', 'connect', 'subscribe', 'unsubscribe', 'cometd']

export function actionFor(settings: Settings, from: Random): Action {
  const scale = settings.span === 'day' ? 10 : 1
  const channel = from.pick(settings.channels).channel
  const duration = (mostMs: number): number => from.below(mostMs * scale)
  // Events are what everything else is about.
  if (from.chance(0.35)) {
    return {
      type: 'publish',
      channel,
      count: from.chance(0.2) ? from.between(5, 60) : from.between(1, 4),
      bytes: sizeOf(from.next()),
      // Enriched change events share ids (facts 8, S57); nothing else does.
      group: settings.groups && channel.startsWith('/data/') && from.chance(0.5),
      twice: from.chance(0.05),
    }
  }
  switch (from.below(33)) {
    case 0:
    case 1:
      return { type: 'lose-sessions', kicked: from.chance(0.3) }
    case 2:
      return { type: 'revoke-tokens' }
    case 3:
      return { type: 'scale-out' }
    case 4:
      return from.chance(0.5) ? { type: 'migrate' } : { type: 'reset-ids' }
    case 5:
    case 6:
      return { type: 'busy', on: from.pick(['handshake', 'connect', 'subscribe']), times: from.between(1, 3) }
    case 7:
      return { type: 'protect', times: from.between(1, 3) }
    case 8:
      return { type: 'limit', what: from.chance(0.5) ? 'events' : 'clients', forMs: duration(120_000) }
    case 9:
      return { type: 'login-down', forMs: duration(60_000) }
    case 10:
      return { type: 'offline', forMs: duration(from.chance(0.5) ? 5_000 : 180_000) }
    case 11:
      return { type: 'cut-connections' }
    case 12:
    case 13:
    case 14:
      return { type: 'lost', on: from.pick(anyRequest), what: from.chance(0.5) ? 'request' : 'reply', times: from.between(1, 3) }
    case 15:
    case 16:
      return { type: 'cut', on: from.pick(anyRequest), afterBytes: from.below(from.chance(0.5) ? 200 : 3_000) }
    case 17:
      return { type: 'cut-after-body', on: from.pick(anyRequest) }
    case 18:
      return { type: 'drip', bytes: from.between(40, 400), everyMs: from.chance(0.7) ? from.between(20, 2_000) : 31_000 }
    case 19:
      return { type: 'delay', on: from.pick(anyRequest), ms: from.below(from.chance(0.7) ? 3_000 : 45_000), times: from.between(1, 3) }
    case 20:
      return { type: 'hold', on: from.pick(anyRequest) }
    case 21:
      return {
        type: 'status',
        on: from.pick(anyRequest),
        status: from.pick([500, 502, 503, 408, 429]),
        retryAfterS: from.chance(0.3) ? from.below(30) : undefined,
        times: from.between(1, 3),
      }
    case 22:
      return { type: 'proxy', times: from.between(1, 4) }
    case 23:
      return {
        type: 'garble',
        on: from.pick(anyRequest),
        with: from.pick(['html', 'empty', 'object', 'truncated', 'bom']),
        times: from.between(1, 2),
      }
    case 24:
      return { type: 'shuffle', times: from.between(1, 10) }
    case 25:
      return { type: 'twice', on: from.pick(['handshake', 'subscribe', 'unsubscribe']) }
    case 26:
      return {
        type: 'sleep',
        forMs: duration(from.chance(0.5) ? 60_000 : 1_800_000),
        timers: from.chance(0.5) ? 'late' : 'stopped',
        sockets: from.chance(0.5) ? 'dead' : 'kept',
      }
    case 27:
      return { type: 'clock-jump', byMs: from.between(-3_600_000, 3_600_000) }
    case 28:
    case 29:
      return { type: 'kill', afterTouches: from.below(from.chance(0.5) ? 8 : 60), downMs: duration(from.chance(0.5) ? 500 : 60_000) }
    case 30:
      return { type: 'restart' }
    case 31:
      return { type: 'store', how: from.pick(['slow', 'failing', 'hanging']), forMs: duration(60_000) }
    default:
      return { type: 'mood', channel, mood: from.pick(['slow', 'slow', 'throwing', 'breaking', 'hung']), forMs: duration(90_000) }
  }
}

/** Most events are small. Some make replies before which the next poll leaves, and some make replies that are read while they come. [PROTOCOL C4, T7] */
function sizeOf(chance: number): number {
  return chance < 0.02 ? 20_000 : chance < 0.05 ? 3_000 : 0
}
