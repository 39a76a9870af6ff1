import type { ClientStatus, ReplayPosition, StreamEvent } from '@sfstream/core'
import type { MockOrg, PublishExtra, VirtualClock } from '@sfstream/mock-org'
import { type ChannelRecord, channelRecord, type Entry } from './channel-record.ts'
import type { Run } from './run-record.ts'
import type { VirtualProcess } from './virtual-process.ts'

/** A request as a program sent it. */
export interface SentRequest {
  readonly process: number
  readonly at: number
  readonly kind: string
}

/** All that happens in a run, and what in it must never happen. The org's own log is the measure, not the client's counters. */
export interface History {
  readonly violations: string[]
  readonly channels: ReadonlyMap<string, ChannelRecord>
  readonly requests: readonly SentRequest[]
  readonly statuses: Readonly<Record<string, number>>
  readonly lines: readonly string[]
  /** Tokens given out, which nothing but an Authorization header may show. */
  readonly tokens: Set<string>
  violate(what: string): void
  trace(line: () => string): void
  publish(channel: string, extra: PublishExtra & { bytes: number; twice: boolean }): void
  /** Positions mean nothing from here on. */
  reset(): void
  readonly resets: number
  sent(process: VirtualProcess, url: string, init: RequestInit): SentRequest
  answered(request: SentRequest): void
  /** A proxy has sent a request to the org twice. */
  sentTwice(body: string): void
  replied(request: SentRequest, response: Response): void
  loaded(process: VirtualProcess, channel: string, position: ReplayPosition | undefined): void
  saving(process: VirtualProcess, channel: string, position: ReplayPosition): void
  status(process: VirtualProcess, status: ClientStatus): void
  run(process: VirtualProcess, channel: string, order: Run['order']): Run
  leaked(text: string, where: string): void
}

const kinds = ['handshake', 'connect', 'subscribe', 'unsubscribe', 'disconnect'] as const

export interface HistoryParts {
  clock: VirtualClock
  org(): MockOrg
  names: readonly string[]
  tracing: boolean
}

export function history({ clock, org, names, tracing }: HistoryParts): History {
  const startedAt = clock.now()
  const violations: string[] = []
  const lines: string[] = []
  const requests: SentRequest[] = []
  const statuses: Record<string, number> = {}
  const tokens = new Set<string>()
  const open = new Map<string, number>()
  let serial = 0
  let resets = 0

  const trace = (line: () => string): void => {
    if (tracing) lines.push(`${((clock.now() - startedAt) / 1000).toFixed(3).padStart(10)} ${line()}`)
  }
  const violate = (what: string): void => {
    violations.push(what)
    trace(() => `VIOLATION ${what}`)
  }
  const channels = new Map(names.map((name) => [name, channelRecord(name, clock.now, violate)]))
  const record = (channel: string): ChannelRecord => channels.get(channel) as ChannelRecord
  const leaked = (text: string, where: string): void => {
    for (const token of tokens) if (text.includes(token)) violate(`a token shows in ${where}`)
  }

  return {
    violations,
    channels,
    requests,
    statuses,
    lines,
    tokens,
    violate,
    trace,
    leaked,
    publish(channel, { bytes, twice, ...extra }) {
      const mark = `e${++serial}`
      const text = bytes > 0 ? mark.padEnd(bytes, '.') : mark
      const payload = channel.startsWith('/u/')
        ? text
        : channel.startsWith('/topic/') || channel.startsWith('/data/')
          ? { Name: text }
          : { Serial__c: text }
      const first = org().publish(channel, payload, extra)
      const logged = [first]
      // The org itself may publish an event twice: one EventUuid, two replay ids.
      if (twice && first.eventUuid !== undefined) logged.push(org().publish(channel, payload, { eventUuid: first.eventUuid }))
      for (const { replayId } of logged) record(channel).published(mark, replayId as string)
      trace(() => `publish ${channel} ${mark} as ${logged.map(({ replayId }) => replayId).join(' and ')}`)
    },
    get resets() {
      return resets
    },
    reset() {
      resets++
      for (const channel of channels.values()) channel.reset()
    },
    sent(process, url, init) {
      const body = typeof init.body === 'string' ? init.body : ''
      const kind = kinds.find((each) => body.includes(`"/meta/${each}"`)) ?? 'other'
      leaked(url, 'a URL')
      leaked(body, 'a body')
      if (new Headers(init.headers).has('Authorization') && !org().serves(new URL(url).origin)) violate(`the token was sent to ${url}`)
      if (kind === 'handshake' || kind === 'connect') {
        const name = `${process.number} ${kind}`
        const now = (open.get(name) ?? 0) + 1
        open.set(name, now)
        if (now > 1) violate(`${now} requests of kind ${kind} at once`)
      }
      if (kind === 'subscribe') {
        for (const [, channel, id] of body.matchAll(/"replay":\{"([^"]+)":(-?\d+)\}/g))
          record(channel as string).subscribing(process.number, id as string)
      }
      trace(() => `#${process.number} -> ${body}`)
      const request = { process: process.number, at: clock.now(), kind }
      requests.push(request)
      return request
    },
    sentTwice(body) {
      // A channel that is subscribed twice is replayed twice, and nothing shows it.
      if (body.includes('"/meta/subscribe"')) for (const channel of channels.values()) channel.replayedTwice()
    },
    answered({ process, kind }) {
      const name = `${process} ${kind}`
      const now = open.get(name)
      if (now !== undefined) open.set(name, now - 1)
    },
    replied(request, response) {
      if (!tracing) return
      const at = clock.now()
      response
        .clone()
        .text()
        .then(
          (text) => trace(() => `#${request.process} <- ${response.status} ${brief(text)}`),
          (error: unknown) => trace(() => `#${request.process} <- ${response.status} broken ${String(error)} since ${at - startedAt}`),
        )
    },
    loaded(process, channel, position) {
      record(channel).loaded(process.number, position === undefined ? undefined : String(position.replayId))
    },
    saving(process, channel, position) {
      trace(() => `#${process.number} save ${channel} ${position.replayId}`)
      record(channel).saving(String(position.replayId))
    },
    status(process, status) {
      trace(
        () =>
          `#${process.number} status ${brief(JSON.stringify(status, (_, value) => (value instanceof Error ? `${value.name}: ${value.message}` : value)))}`,
      )
      statuses[status.type] = (statuses[status.type] ?? 0) + 1
      leaked(JSON.stringify(status, withErrors), 'a status')
      if (status.type === 'replayGap') record(status.channel).gap(status.to)
      if (status.type === 'resubscribed') record(status.channel).resubscribed(status.from)
    },
    run: (process, channel, order) => record(channel).run(process.number, order),
  }
}

/** Errors show all they have: message, remediation, cause, what the server said. */
function withErrors(_key: string, value: unknown): unknown {
  return value instanceof Error ? { ...value, message: value.message, stack: value.stack, cause: value.cause } : value
}

function brief(text: string): string {
  return text.length > 700 ? `${text.slice(0, 400)} … ${text.slice(-250)}` : text
}

/** The mark that `publish` put into an event. */
export function markOf(event: StreamEvent): string {
  const { payload } = event as { payload: unknown }
  const text =
    typeof payload === 'string'
      ? payload
      : ((payload as Record<string, string>).Serial__c ?? (payload as Record<string, string>).Name ?? '')
  return text.replace(/\.+$/, '')
}

export type { Entry }
