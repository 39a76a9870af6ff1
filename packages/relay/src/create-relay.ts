import { SfStreamError, SubscribeError } from '@sfstream/core'
import { deadlineReached, withDeadline } from '@sfstream/core/internal'
import { checkRelayOptions } from './check-relay-options.ts'
import { type EventStream, eventStream } from './event-stream.ts'
import { errorData } from './frames.ts'
import { closing, orgLink } from './org-link.ts'
import type { CheckedRelayOptions, Relay, RelayOptions, RelayStats } from './relay-options.ts'
import { notFor, streamRequest } from './relay-request.ts'

/** How long a request waits for the first login. */
const loginMs = 25_000

/**
 * One session with the org for any number of browsers, as Server-Sent Events. `GET` with `Accept: text/event-stream` streams; any
 * other `GET` tells the org and the channels, as JSON. PROTOCOL.md, section L, is the wire.
 *
 * @throws SfStreamError `bad_option`, SubscribeError `bad_channel`
 */
export function createRelay(given: RelayOptions): Relay {
  const options = checkRelayOptions(given)
  const link = orgLink(options)
  const streams = new Map<EventStream, string | undefined>()
  /** Requests that are being answered count too, or many at once would pass the limits together. */
  const asking = new Map<object, string | undefined>()
  let closed = false

  const countOf = (who: string): number => [...streams.values(), ...asking.values()].filter((other) => other === who).length

  const answer = async (request: Request): Promise<Response> => {
    if (closed) return failure(503, closing(), 2)
    const wantsStream = request.headers.get('accept')?.includes('text/event-stream') ?? false
    if (!wantsStream) return describe(request)

    const wanted = streamRequest(request, options)
    const refused = await authorized(request, wanted.channels, options)
    if (refused) return refused
    const who = options.limitBy?.(request)
    if (streams.size + asking.size >= options.maxClients) return failure(503, full(`${options.maxClients} streams are open`), 10)
    if (who !== undefined && countOf(who) >= options.maxClientsEach) {
      return failure(429, full(`${options.maxClientsEach} streams are open for you`), 10)
    }
    const place = {}
    asking.set(place, who)
    try {
      const org = await login(request.signal)
      if (closed) return failure(503, closing(), 2)
      const stream: EventStream = eventStream({
        request: wanted,
        org,
        link,
        platform: options.platform,
        heartbeatMs: options.heartbeatMs,
        maxStreamMs: options.maxStreamMs,
        signal: request.signal,
        ended: () => streams.delete(stream),
      })
      streams.set(stream, who)
      return new Response(stream.body, {
        headers: {
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store, no-transform',
          // Proxies that gather a reply would hold events back.
          'x-accel-buffering': 'no',
        },
      })
    } finally {
      asking.delete(place)
    }
  }
  const login = (signal: AbortSignal): Promise<string> =>
    withDeadline(loginMs, { signal, platform: options.platform }, (limited) => link.org(limited))

  const describe = async (request: Request): Promise<Response> => {
    const channels: string[] = []
    let refused: Response | undefined
    for (const channel of options.channels) {
      const answer = await authorized(request, [channel], options)
      if (answer) refused ??= answer
      else channels.push(channel)
    }
    if (channels.length === 0 && refused) return refused
    return Response.json(
      { org: await login(request.signal), channels, heartbeatMs: options.heartbeatMs },
      { headers: { 'cache-control': 'no-store' } },
    )
  }

  const relay = async (request: Request): Promise<Response> => {
    const cors = corsHeaders(request, options)
    let response: Response
    if (request.method === 'OPTIONS') response = preflight()
    else if (request.method !== 'GET') {
      response = failure(405, bad(`${request.method} is not answered here.`, 'Use GET.'))
      response.headers.set('allow', 'GET, OPTIONS')
    } else {
      try {
        response = await answer(request)
      } catch (error) {
        if (error === deadlineReached) response = failure(503, full('The org has not answered the login yet'), 10)
        else if (error instanceof SfStreamError && error.code === 'bad_option') response = failure(400, error)
        else if (error instanceof SubscribeError) response = failure(403, error)
        else response = failure(503, error, 30)
      }
    }
    if (cors.length === 0) return response
    const withCors = new Response(response.body, response)
    for (const [name, value] of cors) withCors.headers.append(name, value)
    return withCors
  }

  const close = async (): Promise<void> => {
    closed = true
    for (const stream of [...streams.keys()]) stream.end()
    await link.close()
  }
  return Object.defineProperties(relay, {
    stats: { get: (): RelayStats => ({ clients: streams.size, channels: link.channels, catchUps: link.catchUps }) },
    close: { value: close },
  }) as Relay
}

async function authorized(request: Request, channels: readonly string[], options: CheckedRelayOptions): Promise<Response | undefined> {
  for (const channel of channels) {
    const answer = await options.authorize(request, channel)
    if (answer instanceof Response) return answer
    if (answer !== true) return failure(403, notFor(channel, 'is not for you', 'Sign in, or ask for the right to it.'))
  }
  return undefined
}

function corsHeaders(request: Request, { cors }: CheckedRelayOptions): [string, string][] {
  const origin = request.headers.get('origin')
  if (!cors || origin === null || (cors.origins !== '*' && !cors.origins.includes(origin))) return []
  return [
    ['access-control-allow-origin', cors.origins === '*' && !cors.credentials ? '*' : origin],
    ['vary', 'origin'],
    ...(cors.credentials ? ([['access-control-allow-credentials', 'true']] as [string, string][]) : []),
    ['access-control-expose-headers', 'retry-after'],
    ...(request.method === 'OPTIONS'
      ? ([
          ['access-control-allow-methods', 'GET'],
          ['access-control-allow-headers', request.headers.get('access-control-request-headers') ?? 'accept, last-event-id'],
          ['access-control-max-age', '600'],
        ] as [string, string][])
      : []),
  ]
}

function preflight(): Response {
  return new Response(null, { status: 204 })
}

function failure(status: number, error: unknown, retryAfterS?: number): Response {
  return Response.json(
    { error: errorData(error) },
    { status, headers: { 'cache-control': 'no-store', ...(retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }) } },
  )
}

function bad(message: string, remediation: string): SfStreamError {
  return new SfStreamError({ code: 'bad_option', message, remediation })
}

function full(what: string): SfStreamError {
  return new SfStreamError({ code: 'server_busy', message: `${what}.`, remediation: 'Try again later.', retryable: true })
}
