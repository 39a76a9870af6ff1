import { SfStreamError, SubscribeError } from '@sfstream/core'
import { deadlineReached, onAbort, withDeadline } from '@sfstream/core/internal'
import { checkRelayOptions } from './check-relay-options.ts'
import { type EventStream, eventStream } from './event-stream.ts'
import { errorData } from './frames.ts'
import { closing, orgLink } from './org-link.ts'
import type { CheckedRelayOptions, Relay, RelayOptions, RelayStats } from './relay-options.ts'
import { notFor, streamRequest } from './relay-request.ts'
import { type NodeRequest, type NodeResponse, nodeReply, nodeResponse, requestOf, type StreamReply, webReply } from './replies.ts'

const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  // Proxies that gather a reply would hold events back.
  'x-accel-buffering': 'no',
}

/** How long a request waits: for its authorization, and for the org's first login. */
const answerMs = 25_000

/**
 * One session with the org for any number of browsers, as Server-Sent Events. `GET` with `Accept: text/event-stream` streams; any
 * other `GET` tells the org and the channels, as JSON. PROTOCOL.md, section L, is the wire.
 *
 * @throws SfStreamError `bad_option`, SubscribeError `bad_channel`
 */
export function createRelay(given: RelayOptions): Relay {
  const options = checkRelayOptions(given)
  const link = orgLink(options)
  const streams = new Set<EventStream>()
  /** Who has a stream, or is about to: or many at once would pass the limits together. */
  const places = new Map<object, string | undefined>()
  const bodies = new WeakMap<Response, Promise<ArrayBuffer>>()
  let closed = false

  const countOf = (who: string): number => [...places.values()].filter((other) => other === who).length

  const answer = async (request: Request, signal: AbortSignal): Promise<Response | StreamReply> => {
    if (closed) return failure(503, closing(), 2)
    const wantsStream = request.headers.get('accept')?.includes('text/event-stream') ?? false
    if (!wantsStream) return describe(request, signal)

    const wanted = streamRequest(request, options)
    const refused = await authorized(request, wanted.channels)
    if (refused) return refused
    const who = await asked(() => options.limitBy?.(request))
    signal.throwIfAborted()
    if (places.size >= options.maxClients) return failure(503, full(`${options.maxClients} streams are open`), 10)
    if (who !== undefined && countOf(who) >= options.maxClientsEach) {
      return failure(429, full(`${options.maxClientsEach} streams are open for you`), 10)
    }
    const place = {}
    places.set(place, who)
    // What was let in as its reader left is opened by nobody.
    onAbort(signal, () => places.delete(place))
    let isKept = false
    try {
      const org = await link.org(signal)
      if (closed) return failure(503, closing(), 2)
      isKept = true
      return {
        headers: { ...streamHeaders },
        open(out) {
          places.set(place, who)
          let isOver = false
          let stream: EventStream | undefined
          stream = eventStream(
            {
              request: wanted,
              org,
              link,
              platform: options.platform,
              heartbeatMs: options.heartbeatMs,
              maxStreamMs: options.maxStreamMs,
              signal: request.signal,
              ended() {
                isOver = true
                places.delete(place)
                if (stream) streams.delete(stream)
              },
            },
            out,
          )
          if (!isOver) streams.add(stream)
          if (closed || org !== link.name) stream.end()
          return stream
        },
      }
    } finally {
      if (!isKept) places.delete(place)
    }
  }

  /** Code of the relay's owner: what it throws is for the owner alone. */
  const asked = async <T>(ask: () => T | PromiseLike<T>): Promise<T> => {
    try {
      return await ask()
    } catch (error) {
      options.onError(error)
      throw new SfStreamError({
        code: 'server_busy',
        message: 'The relay could not tell whether this is for you.',
        remediation: 'Try again later; its owner is told why.',
        retryable: true,
      })
    }
  }
  const authorized = async (request: Request, channels: readonly string[]): Promise<Response | undefined> => {
    for (const channel of channels) {
      const answer = await asked(() => options.authorize(request, channel))
      if (answer instanceof Response) return ownAnswer(answer)
      if (answer !== true) return failure(403, notFor(channel, 'is not for you', 'Sign in, or ask for the right to it.'))
    }
    return undefined
  }
  /** A copy: the same Response may be given to many, and its headers may be such as cannot be changed. */
  const ownAnswer = async (own: Response): Promise<Response> => {
    const body = bodies.get(own) ?? own.arrayBuffer()
    bodies.set(own, body)
    const bytes = await body
    return new Response(bytes.byteLength > 0 ? bytes : null, own)
  }

  const describe = async (request: Request, signal: AbortSignal): Promise<Response> => {
    const channels: string[] = []
    let refused: Response | undefined
    for (const channel of options.channels) {
      const answer = await authorized(request, [channel])
      if (answer) refused ??= answer
      else channels.push(channel)
    }
    if (channels.length === 0 && refused) return refused
    return Response.json(
      { org: await link.org(signal), channels, heartbeatMs: options.heartbeatMs },
      { headers: { 'cache-control': 'no-store' } },
    )
  }

  const reply = async (request: Request): Promise<Response | StreamReply> => {
    const cors = corsHeaders(request, options)
    const answered = await attempt(request)
    if (!(answered instanceof Response)) return { ...answered, headers: { ...answered.headers, ...Object.fromEntries(cors) } }
    // An answer of the owner's own may vary by more.
    for (const [name, value] of cors) answered.headers[name === 'vary' ? 'append' : 'set'](name, value)
    return answered
  }
  const attempt = async (request: Request): Promise<Response | StreamReply> => {
    if (request.method === 'OPTIONS') return new Response(null, { status: 204 })
    if (request.method !== 'GET') {
      const refused = failure(405, bad(`${request.method} is not answered here.`, 'Use GET.'))
      refused.headers.set('allow', 'GET, OPTIONS')
      return refused
    }
    try {
      return await withDeadline(answerMs, { signal: request.signal, platform: options.platform }, (signal) => answer(request, signal))
    } catch (error) {
      if (error === deadlineReached) return failure(503, full('Your authorization, or the login at the org, has taken too long'), 10)
      if (error instanceof SfStreamError && error.code === 'bad_option') return failure(400, error)
      if (error instanceof SubscribeError) return failure(403, error)
      return failure(503, error, 30)
    }
  }
  const relay = async (request: Request): Promise<Response> => {
    const answered = await reply(request)
    return answered instanceof Response ? answered : webReply(answered)
  }
  const node = async (request: NodeRequest, response: NodeResponse): Promise<void> => {
    const controller = new AbortController()
    response.on('close', () => controller.abort())
    const asked = requestOf(request, controller.signal)
    const answered = asked ? await reply(asked) : failure(400, bad('The request cannot be read.', 'Use GET, and a path.'))
    if (answered instanceof Response) await nodeResponse(answered, response)
    else nodeReply(answered, response)
  }
  const close = async (): Promise<void> => {
    closed = true
    for (const stream of [...streams]) stream.end()
    await link.close()
  }
  return Object.defineProperties(relay, {
    stats: { get: (): RelayStats => ({ clients: streams.size, channels: link.channels, catchUps: link.catchUps }) },
    close: { value: close },
    node: { value: node },
  }) as Relay
}

function corsHeaders(request: Request, { cors }: CheckedRelayOptions): [string, string][] {
  const origin = request.headers.get('origin')
  if (!cors || origin === null || (cors.origins !== '*' && !cors.origins.includes(origin))) return []
  return [
    ['access-control-allow-origin', cors.origins === '*' ? '*' : origin],
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
