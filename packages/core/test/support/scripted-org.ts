import type { BayeuxMessage, OrgSession, Platform } from '../../src/index.ts'

/** One POST as the org saw it. */
export interface SeenRequest {
  atMs: number
  url: URL
  headers: Headers
  messages: BayeuxMessage[]
  signal: AbortSignal
  /** It may outlive its page. */
  keepalive: boolean
  /** The first message's channel, without `/meta/`; 'versions' for the version list. */
  what: string
}

/** What to answer: messages, a whole Response, an error to reject with, or never (until aborted). */
export type Script = (
  request: SeenRequest,
  org: ScriptedOrg,
) => BayeuxMessage[] | Response | Error | 'hold' | Promise<BayeuxMessage[] | Response>

/**
 * The smallest server that a client can talk to: an answer per request, as a script says; `undefined` falls back to a
 * friendly org that accepts everything and holds polls until something is pushed.
 */
export interface ScriptedOrg {
  fetch: Platform['fetch']
  session: OrgSession
  requests: SeenRequest[]
  /** Requests of one kind, such as 'connect'. */
  of(what: string): SeenRequest[]
  /** Answers the held poll with these messages before its own reply. */
  push(...messages: BayeuxMessage[]): void
  /** Messages of a handshake, connect … as the friendly org would answer them. */
  friendly(request: SeenRequest): BayeuxMessage[]
  readonly held: number
  clientId: string
}

export function scriptedOrg(
  now: () => number,
  script: (request: SeenRequest, org: ScriptedOrg) => ReturnType<Script> | undefined = () => undefined,
): ScriptedOrg {
  const requests: SeenRequest[] = []
  const polls: { request: SeenRequest; answer(messages: BayeuxMessage[]): void }[] = []
  let handshakes = 0
  let queued: BayeuxMessage[] = []

  const org: ScriptedOrg = {
    session: { accessToken: '00D000000000001!token', instanceUrl: 'https://acme.my.salesforce.com' },
    requests,
    clientId: 'none',
    of: (what) => requests.filter((request) => request.what === what),
    get held() {
      return polls.length
    },
    push(...messages) {
      queued.push(...messages)
      const poll = polls.shift()
      if (!poll) return
      const events = queued
      queued = []
      poll.answer([...events, ...org.friendly(poll.request)])
    },
    friendly: ({ messages }) =>
      messages.map((message) => {
        const reply: BayeuxMessage = { channel: message.channel as string, id: message.id as string, successful: true }
        switch (message.channel) {
          case '/meta/handshake':
            org.clientId = `client${++handshakes}`
            return { ...reply, clientId: org.clientId, version: '1.0', supportedConnectionTypes: ['long-polling'], ext: { replay: true } }
          case '/meta/connect':
            return message.advice ? { ...reply, advice: { reconnect: 'retry', interval: 0, timeout: 110_000 } } : reply
          case '/meta/subscribe':
          case '/meta/unsubscribe':
            return { ...reply, subscription: message.subscription as string }
          default:
            return reply
        }
      }),
    async fetch(input, init) {
      // No network answers in the same turn of the event loop.
      await new Promise<void>((resolve) => void setImmediate(resolve))
      const messages = init?.body === undefined ? [] : (JSON.parse(String(init.body)) as BayeuxMessage[])
      const signal = init?.signal as AbortSignal
      const what = init?.body === undefined ? 'versions' : String(messages[0]?.channel).replace('/meta/', '')
      const headers = new Headers(init?.headers)
      const request: SeenRequest = {
        atMs: now(),
        url: new URL(input),
        headers,
        messages,
        signal,
        keepalive: init?.keepalive === true,
        what,
      }
      requests.push(request)
      const scripted = await script(request, org)
      if (scripted instanceof Error) throw scripted
      if (scripted instanceof Response) return scripted
      if (Array.isArray(scripted)) return json(scripted)
      const isPoll = what === 'connect' && !messages[0]?.advice
      if (scripted === undefined && !(isPoll && queued.length === 0)) {
        const events = what === 'connect' ? queued.splice(0) : []
        return json([...events, ...org.friendly(request)])
      }
      if (signal.aborted) throw signal.reason
      return new Promise<Response>((resolve, reject) => {
        const poll = { request, answer: (answer: BayeuxMessage[]) => resolve(json(answer)) }
        if (scripted === undefined) polls.push(poll)
        signal.addEventListener('abort', () => {
          const at = polls.indexOf(poll)
          if (at >= 0) polls.splice(at, 1)
          reject(signal.reason)
        })
      })
    },
  }
  return org
}

export function json(messages: unknown, init?: ResponseInit): Response {
  return new Response(JSON.stringify(messages), { headers: { 'content-type': 'application/json' }, ...init })
}

export function platformEvent(replayId: number, channel = '/event/Order__e', extra: Record<string, unknown> = {}): BayeuxMessage {
  return {
    channel,
    data: { schema: 's', payload: { CreatedDate: '2026-01-01T00:00:00.000Z', Number__c: replayId, ...extra }, event: { replayId } },
  }
}
