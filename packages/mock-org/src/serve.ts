import type { BayeuxMessage } from '@sfstream/core'
import { readMessages } from './bayeux/endpoint.ts'
import { ConnectionLost, type Exchange } from './exchange.ts'
import type { PlannedFault } from './faults/fault.ts'
import type { FaultPlan } from './faults/fault-plan.ts'
import { refusal } from './faults/refusal.ts'
import { toJson } from './json.ts'
import { type SeenRequest, seenRequest } from './records.ts'
import { notFoundPage, router } from './router.ts'
import { faultyBody } from './transport.ts'
import type { World } from './world.ts'

/** Cookies beside the message, where a runtime's Request and Response cannot carry them (browsers). */
export interface CookieCarrier {
  read(url: URL): string
  write(url: URL, lines: readonly string[]): void
}

export interface Service {
  fetch(input: Request | string | URL, init?: RequestInit, cookies?: CookieCarrier): Promise<Response>
  /** Breaks off the requests that are waiting outside the org: held for ever, delayed. */
  cut(): void
}

/** Turns requests into replies, with the planned faults on the way. */
export function service(world: World, faults: FaultPlan, record: (request: SeenRequest) => void): Service {
  const route = router(world)
  const { clock } = world
  const waiting = new Set<(error: Error) => void>()

  async function exchange(request: Request, signal: AbortSignal | undefined, cookies: CookieCarrier | undefined): Promise<Response> {
    const url = new URL(request.url)
    const role = world.hosts.role(url.origin)
    if (role === undefined) throw new ConnectionLost(`getaddrinfo ENOTFOUND ${url.hostname}`)
    const inner = world.hosts.within(url)
    const body = request.method === 'GET' || request.method === 'HEAD' ? '' : await request.text()
    const messages = url.pathname.startsWith('/cometd') ? readMessages(body) : undefined
    const authorization = request.headers.get('authorization')
    const seen = seenRequest({ at: clock.now(), method: request.method, url, inner, authorization, body, messages })
    record(seen)
    try {
      const fault = faults.take(seen)
      const setCookies: string[] = []
      const passing: Exchange = {
        role: role === 'gone' ? 'instance' : role,
        origin: role === 'site' ? world.hosts.site! : url.origin,
        secure: url.protocol === 'https:',
        cookies: cookies ? cookies.read(url) : (request.headers.get('cookie') ?? ''),
        setCookies,
        signal,
        body,
        messages,
        fault: fault?.kind === 'fail' ? fault : undefined,
        faultOn: fault?.on,
      }
      const answer = async (patience = signal): Promise<Response> =>
        role === 'gone' || !inner
          ? notFoundPage()
          : route(inner === url ? request : moved(request, inner), { ...passing, signal: patience })
      const instead = await before(fault, seen, messages ?? [], signal)
      const late = instead && fault?.kind === 'http' ? fault.afterMs : undefined
      const response = instead && late !== undefined ? await behindProxy(instead, late, answer, signal) : (instead ?? (await answer()))
      const reply = await after(fault, response, signal)
      reply.headers.set('Date', new Date(clock.now()).toUTCString())
      if (cookies) cookies.write(url, setCookies)
      else for (const line of setCookies) reply.headers.append('Set-Cookie', line)
      seen.status = reply.status
      return reply
    } catch (error) {
      seen.status = 'lost'
      throw error
    }
  }

  /** The org's reply, unless it takes longer than the proxy's patience: then the connection to the org is dropped. */
  async function behindProxy(
    instead: Response,
    afterMs: number,
    answer: (patience: AbortSignal) => Promise<Response>,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const patience = new AbortController()
    const giveUp = (): void => patience.abort()
    const cancel = clock.delay(giveUp, afterMs)
    signal?.addEventListener('abort', giveUp)
    try {
      return await answer(patience.signal)
    } catch (error) {
      if (patience.signal.aborted) return instead
      throw error
    } finally {
      cancel()
      signal?.removeEventListener('abort', giveUp)
    }
  }

  /** What happens to the request before the org sees it; a response stands for the org's. */
  async function before(
    fault: PlannedFault | undefined,
    seen: SeenRequest,
    sent: readonly BayeuxMessage[],
    signal: AbortSignal | undefined,
  ): Promise<Response | undefined> {
    switch (fault?.kind) {
      case 'http':
        return new Response(fault.body ?? null, { status: fault.status, headers: fault.headers ?? { 'Content-Type': 'text/html' } })
      case 'messages': {
        const messages = typeof fault.messages === 'function' ? fault.messages(sent) : fault.messages
        return new Response(toJson(messages), { headers: { 'Content-Type': 'application/json;charset=UTF-8' } })
      }
      case 'refuse':
        return refusal(fault, seen.kinds)
      case 'network-error':
        if (fault.lost !== 'reply') throw new ConnectionLost('the connection was reset')
        return undefined
      case 'hold':
        return wait(undefined, signal)
      case 'call':
        fault.call(seen)
        return undefined
      default:
        return undefined
    }
  }

  async function after(fault: PlannedFault | undefined, response: Response, signal: AbortSignal | undefined): Promise<Response> {
    switch (fault?.kind) {
      case 'network-error':
        throw new ConnectionLost('the connection was reset')
      case 'delay':
        await wait(fault.ms, signal)
        return response
      case 'cut':
      case 'cut-after-body':
      case 'drip':
      case 'rewrite':
        return faultyBody(clock, response, await response.text(), fault, signal)
      default:
        return response
    }
  }

  function wait(ms: number | undefined, signal: AbortSignal | undefined): Promise<undefined> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        cancel()
        waiting.delete(cut)
        signal?.removeEventListener('abort', aborted)
      }
      const cut = (error: Error): void => {
        end()
        reject(error)
      }
      const aborted = (): void => cut(signal?.reason as Error)
      const cancel =
        ms === undefined
          ? () => undefined
          : clock.delay(() => {
              end()
              resolve(undefined)
            }, ms)
      waiting.add(cut)
      signal?.addEventListener('abort', aborted)
    })
  }

  /** A fetch follows redirects by itself, without the credentials when they lead elsewhere, unless told not to. */
  async function followed(first: Request, signal: AbortSignal | undefined, cookies: CookieCarrier | undefined): Promise<Response> {
    let request = first
    for (let hops = 0; hops <= mostRedirects; hops += 1) {
      const reply = await untilAborted(exchange(request, signal, cookies), signal)
      const location = reply.headers.get('Location')
      if (location === null || reply.status < 300 || reply.status > 399 || first.redirect === 'manual') return reply
      if (first.redirect === 'error') throw new ConnectionLost('unexpected redirect')
      const target = new URL(location, request.url)
      const headers = new Headers(request.headers)
      if (target.origin !== new URL(request.url).origin) for (const name of ['Authorization', 'Cookie']) headers.delete(name)
      request = new Request(target, { headers })
    }
    throw new ConnectionLost('redirect count exceeded')
  }

  return {
    async fetch(input, init, cookies) {
      const request = new Request(input, init)
      const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined) ?? undefined
      signal?.throwIfAborted()
      try {
        return await followed(request, signal, cookies)
      } catch (error) {
        if (error instanceof ConnectionLost && !signal?.aborted) throw new TypeError('fetch failed', { cause: error })
        throw error
      }
    },
    cut() {
      for (const cut of [...waiting]) cut(new ConnectionLost('the connection was cut'))
    },
  }
}

/** The body has been read by now, and goes beside the request. */
function moved(request: Request, url: URL): Request {
  return new Request(url, { method: request.method, headers: request.headers })
}

/** As many as a browser's fetch follows. */
const mostRedirects = 20

/** An abort rejects at once with the signal's own reason, as a real fetch does, whatever the org is doing. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason)
    signal.addEventListener('abort', aborted)
    const end = (): void => signal.removeEventListener('abort', aborted)
    work.then(
      (value) => {
        end()
        resolve(value)
      },
      (error: unknown) => {
        end()
        reject(error)
      },
    )
  })
}
