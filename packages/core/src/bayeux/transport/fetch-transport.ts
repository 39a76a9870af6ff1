import { linkedController } from '../../async/signals.ts'
import { untilAborted } from '../../async/until-aborted.ts'
import type { Platform } from '../../platform.ts'
import { ArrivingBody } from './arriving-body.ts'
import type { CookieJar } from './cookie-jar.ts'
import { notAnswered, notReached } from './exchange-errors.ts'
import { maxBodyBytes } from './max-body-bytes.ts'
import type { Transport, TransportRequest, TransportResponse } from './transport.ts'
import { type Watchdog, watchdog } from './watchdog.ts'

export interface FetchTransportOptions {
  /** Keeps the cookies. Without one they are the browser's own, sent with `credentials: 'include'`. */
  jar?: CookieJar
}

/** Long polling over the platform's `fetch`. */
export function fetchTransport(platform: Platform, { jar }: FetchTransportOptions = {}): Transport {
  const exchange = async (request: TransportRequest): Promise<TransportResponse> => {
    const { controller, release } = linkedController(request.signal)
    const { signal } = controller
    let expired: string | undefined
    const dog = watchdog(request.deadline, platform, (what) => {
      expired = what
      controller.abort(new Error(what))
    })
    try {
      const cookie = jar?.header(request.url)
      const response = await untilAborted(
        platform.fetch(request.url, {
          method: 'POST',
          headers: cookie ? { ...request.headers, cookie } : request.headers,
          body: request.body,
          // A redirect would carry the token to wherever it points. [PROTOCOL T3]
          redirect: 'manual',
          ...(jar ? {} : { credentials: 'include' as const }),
          ...(request.keepalive && { keepalive: true }),
          signal,
        }),
        signal,
      )
      dog.progress()
      jar?.store(request.url, response.headers.getSetCookie?.() ?? [], response.headers.get('Date'))
      const body = new ArrivingBody(request)
      const broken = await readBody(response, body, signal, dog)
      if (broken && request.signal.aborted) throw request.signal.reason
      const cut = broken === 'broken' && expired ? 'timeout' : broken
      return {
        status: response.status,
        header: (name) => response.headers.get(name) ?? undefined,
        ...body.end(),
        ...(cut && { cut }),
      }
    } catch (cause) {
      if (request.signal.aborted) throw request.signal.reason
      throw expired ? notAnswered(expired) : notReached(request.url, cause)
    } finally {
      dog.stop()
      release()
    }
  }

  return { exchange, reset: () => jar?.clear() }
}

async function readBody(response: Response, body: ArrivingBody, signal: AbortSignal, dog: Watchdog): Promise<TransportResponse['cut']> {
  if (!response.body) return undefined
  // A reader loop: `for await` over a stream is missing on older Safari.
  const reader = response.body.getReader()
  const readAll = async (): Promise<'too_large' | undefined> => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return undefined
      dog.progress()
      body.add(value)
      if (body.bytes > maxBodyBytes) return 'too_large'
    }
  }
  // One wait for the whole: to listen for each piece anew costs more than most pieces.
  const cut = await untilAborted(readAll(), signal).catch(() => 'broken' as const)
  if (cut) reader.cancel().catch(() => {})
  return cut
}
