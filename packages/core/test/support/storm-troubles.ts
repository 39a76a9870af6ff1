import type { MockOrg, PlannedFault, RequestKind } from '@sfstream/mock-org'
import type { Advice, BayeuxMessage } from '../../src/index.ts'
import { oneOf, type Pick, type Wire } from './storm-wire.ts'

const kinds: readonly RequestKind[] = ['handshake', 'connect', 'connect', 'connect', 'subscribe', 'unsubscribe']
const page = '<html><body>Service unavailable</body></html>'

const isConnect = ({ channel }: BayeuxMessage): boolean => channel === '/meta/connect'
const isMeta = ({ channel }: BayeuxMessage): boolean => channel?.startsWith('/meta/') ?? true

const stranger = (what: string, id: string): BayeuxMessage => ({
  channel: `/meta/${what}`,
  id,
  clientId: 'stranger',
  successful: true,
  subscription: '/event/Low_Ink__e',
})

/** Something that the server, or what stands before it, does. Its name, for a trace. */
export function trouble(org: MockOrg, wire: Wire, pick: Pick): string {
  const { faults } = org
  const on = oneOf(pick, kinds)
  const times = 1 + pick(3)
  const plan = (fault: Record<string, unknown>): string => {
    faults.next({ on, times, ...fault } as unknown as PlannedFault)
    return `${on}: ${JSON.stringify(fault)} x${times}`
  }
  switch (pick(19)) {
    case 0:
    case 1:
      // An org that keeps what it was asked to let go of is none whose order can be known.
      return plan({
        kind: 'fail',
        error:
          on === 'unsubscribe'
            ? '403::Unknown client'
            : oneOf(pick, ['403::Unknown client', '400::odd', '401::Authentication invalid', '412::busy', '403:x:denied', '']),
        ...(pick(3) > 0 && { reconnect: oneOf(pick, ['retry', 'retry', 'handshake', 'none']) }),
        ...(pick(6) === 0 && { kicked: true }),
        ...(pick(6) === 0 && { without: ['channel', 'id'] }),
      })
    case 2:
      faults.loseSessions({ kicked: pick(3) === 0 })
      return 'sessions lost'
    case 3:
      faults.revokeTokens()
      return 'tokens revoked'
    case 4:
      faults.cutConnections()
      return 'connections cut'
    case 5:
      return plan({ kind: 'network-error', lost: oneOf(pick, ['request', 'reply']) })
    case 6:
    case 7:
      return plan({ kind: 'cut', afterBytes: pick(pick(2) === 0 ? 200 : 2_000) })
    case 8:
      return plan({ kind: 'delay', ms: pick(pick(2) === 0 ? 3_000 : 45_000) })
    case 9:
      faults.next({ on: 'connect', kind: 'drip', bytes: 1 + pick(200), everyMs: oneOf(pick, [20, 2_000, 20_000]) })
      return 'drip'
    case 10:
      return plan({ kind: 'hold', times: 1 })
    case 11: {
      const headers = { 'Content-Type': 'text/html', ...(pick(2) === 0 && { 'Retry-After': String(pick(60)) }) }
      return plan({ kind: 'http', status: oneOf(pick, [500, 503, 408, 429, 401, 404, 403, 400, 204]), headers, body: page, times: 1 })
    }
    case 12:
      return plan({
        kind: 'rewrite',
        body: (body: string) => oneOf(pick, ['', '{}', '[]', page, body.slice(0, body.length / 2), `\uFEFF${body}`]),
      })
    case 13: {
      const advice: Advice = {}
      if (pick(2) === 0) advice.interval = oneOf(pick, [0, 1, 500, 5_000, 30_000])
      if (pick(2) === 0) advice.timeout = oneOf(pick, [110_000, 1e12, -1])
      if (pick(3) === 0) advice.maxInterval = oneOf(pick, [0, 10_000, 60_000])
      if (pick(3) === 0) advice.reconnect = oneOf(pick, ['retry', 'retry', 'handshake', 'other', 'none'])
      wire.alter(on, (messages) =>
        messages.map((message) => (isMeta(message) ? { ...message, advice: { ...message.advice, ...advice } } : message)),
      )
      return `${on}: advice ${JSON.stringify(advice)}`
    }
    case 14:
      // The reply to a subscribe comes with the next connect's.
      wire.alter('subscribe', (messages) => {
        const moved = messages.filter(isMeta)
        wire.alter('connect', (own) => [...own, ...moved])
        return messages.filter((message) => !isMeta(message))
      })
      return 'subscribe answered by a connect'
    case 15:
      wire.alter('connect', (messages) => {
        const events = messages.filter((message) => !isMeta(message))
        return events.length > 0 && pick(2) === 0 ? events : [...messages.filter(isConnect), ...events]
      })
      return 'connect without its reply, or the reply first'
    case 16:
      // Beside the own ones: in place of them they would only be taken for these.
      wire.alter(on, (messages) =>
        messages.some(isMeta) ? [stranger('subscribe', '77'), ...messages, stranger('connect', '78')] : messages,
      )
      return `${on}: a stranger's replies`
    case 17:
      wire.alter(on, (messages) => messages.flatMap((message) => (isMeta(message) ? [message, message] : [message])))
      return `${on}: replies twice`
    default:
      wire.jump(oneOf(pick, [-3_600_000, -30_000, 30_000, 3_600_000]))
      return 'clock jump'
  }
}
