import type { Clock } from './clock.ts'
import type { Fault } from './faults/fault.ts'

/** A reply whose body arrives in pieces, late, or not to its end. In process the stream errors; a server breaks the socket. */
export function faultyBody(clock: Clock, response: Response, text: string, fault: Fault, signal: AbortSignal | undefined): Response {
  const bytes = new TextEncoder().encode(text)
  const init = { status: response.status, headers: response.headers }
  switch (fault.kind) {
    case 'cut':
      return new Response(pieces([bytes.slice(0, fault.afterBytes)], { broken: true, signal }), init)
    case 'cut-after-body':
      return new Response(pieces([bytes], { broken: true, signal }), init)
    case 'drip': {
      const list: Uint8Array[] = []
      for (let at = 0; at < bytes.length; at += fault.bytes) list.push(bytes.slice(at, at + fault.bytes))
      return new Response(pieces(list, { broken: false, signal, pause: { clock, everyMs: fault.everyMs } }), init)
    }
    case 'rewrite':
      return new Response(fault.body(text), init)
    default:
      return new Response(text, init)
  }
}

interface Course {
  broken: boolean
  signal: AbortSignal | undefined
  pause?: { clock: Clock; everyMs: number }
}

function pieces(all: readonly Uint8Array[], { broken, signal, pause }: Course): ReadableStream<Uint8Array> {
  const list = all.filter((piece) => piece.length > 0)
  let next = 0
  let stopPause: (() => void) | undefined
  let aborted: (() => void) | undefined
  const over = (): void => {
    stopPause?.()
    if (aborted) signal?.removeEventListener('abort', aborted)
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        aborted = () => {
          over()
          controller.error(signal?.reason)
        }
        if (signal?.aborted) aborted()
        else signal?.addEventListener('abort', aborted)
      },
      pull(controller) {
        const give = (): void => {
          const piece = list[next]
          next += 1
          if (piece) {
            controller.enqueue(piece)
            return
          }
          over()
          if (broken) controller.error(new TypeError('terminated'))
          else controller.close()
        }
        if (!pause || next === 0) return give()
        return new Promise<void>((resolve) => {
          const cancel = pause.clock.delay(() => {
            stopPause = undefined
            give()
            resolve()
          }, pause.everyMs)
          stopPause = () => {
            cancel()
            resolve()
          }
        })
      },
      cancel: over,
    },
    // Nothing is read ahead: an errored stream drops what it holds, and the reader is to get every byte before the break.
    { highWaterMark: 0 },
  )
}
