import { SfStreamError, StateError } from '../../errors.ts'
import type { BayeuxOptions } from '../../options.ts'
import type { Platform } from '../../platform.ts'
import type { Source, SourceObserver } from '../../source/source.ts'
import type { SourceStatus } from '../../source/source-status.ts'
import type { Transport } from '../transport/transport.ts'
import type { BayeuxMessage } from '../wire/message.ts'
import { controlLane, notStarted } from './control-lane.ts'
import { conversation } from './conversation.ts'
import { endpointResolver } from './endpoint.ts'
import { registry } from './registry.ts'
import { retryPolicies } from './retry-policies.ts'
import { bayeuxSession, type Session } from './session.ts'
import { tokens } from './tokens.ts'

/** An org's /cometd as a Source: the wiring of session, registry and control lane. */
export function bayeuxSource(options: BayeuxOptions & { transport: Transport }, platform: Platform): Source {
  const observers = new Set<SourceObserver>()
  const report = (status: SourceStatus): void => {
    for (const observer of observers) observer.status?.(status)
  }
  const observeMessage = (message: BayeuxMessage): void => {
    for (const observer of observers) observer.message?.(message)
  }
  const policies = retryPolicies(options.retry)
  const limits = options.retry?.limits ?? 'wait'
  const { transport } = options
  const talk = conversation(transport, options.extensions ?? [], platform.now)
  const channels = registry({
    opened: () => lane.pump(),
    closed: (entry) => lane.unsubscribe(entry.request.channel),
  })
  const lane = controlLane({ platform, policies, limits, conversation: talk, registry: channels, session: () => session, report })
  const session: Session = bayeuxSession({
    platform,
    policies,
    machineOptions: { retry: policies, limits, reconnect: options.reconnect ?? true, followAdvice: options.followAdvice ?? true },
    transport,
    conversation: talk,
    tokens: tokens(options.auth, platform),
    endpoint: endpointResolver(options, platform),
    registry: channels,
    report,
    observeMessage,
    established: () => lane.established(),
    interrupted: (error) => lane.interrupted(error),
  })

  return {
    get endpoint() {
      return session.address()?.url
    },
    get live() {
      return session.live
    },
    now: talk.orgNow,
    start: () => session.start(),
    org: () => (session.failure ? Promise.reject(session.failure) : session.org()),
    open(request) {
      const feed = channels.open(request)
      // A failed session stays failed until it is started again; a feed must not wait for that in silence.
      if (session.failure) channels.endAll(session.failure)
      else session.start().catch(() => {})
      return feed
    },
    hold: () => session.hold(),
    send(message) {
      if (/^\/meta\/(handshake|connect|disconnect)$/.test(message.channel)) {
        return Promise.reject(
          new StateError({
            code: 'reserved_channel',
            message: `${message.channel} belongs to the client.`,
            remediation: 'Use start() and stop(); send() is for other messages.',
          }),
        )
      }
      if (!session.running || !session.address()) return Promise.reject(notStarted())
      try {
        JSON.stringify(message)
      } catch (cause) {
        return Promise.reject(
          new SfStreamError({
            code: 'bad_option',
            message: `The message for ${message.channel} is no JSON: ${String(cause)}.`,
            remediation: 'Send values that JSON can hold.',
            cause,
          }),
        )
      }
      return lane.send(message)
    },
    observe(observer) {
      observers.add(observer)
      return () => observers.delete(observer)
    },
    stop: () => session.stop(),
  }
}
