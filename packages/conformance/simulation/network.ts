import type { Platform } from '@sfstream/core'
import type { MockOrg, VirtualClock } from '@sfstream/mock-org'
import type { History } from './history.ts'
import type { Random } from './random.ts'
import type { VirtualProcess } from './virtual-process.ts'

/** Between programs and the org: delays, requests sent twice, connections that die with either end. What goes over it is on record. */
export interface Network {
  fetchOf(process: VirtualProcess): Platform['fetch']
  /** The next request of this kind reaches the org twice. */
  sendTwice(kind: string): void
  /** Requests whose answer has not begun. */
  readonly waiting: number
}

export interface NetworkParts {
  clock: VirtualClock
  org: MockOrg
  history: History
  random: Random
  latencyMs: number
}

export function network({ clock, org, history, random, latencyMs }: NetworkParts): Network {
  let waiting = 0
  const twice: string[] = []
  const latency = (): number => (latencyMs === 0 ? 0 : random.below(latencyMs))
  const pass = (ms: number): Promise<void> => (ms === 0 ? Promise.resolve() : new Promise((resolve) => void clock.delay(resolve, ms)))

  const exchange = async (url: string, init: RequestInit, signal: AbortSignal): Promise<Response> => {
    await pass(latency())
    signal.throwIfAborted()
    const kind = twice.findIndex((wanted) => typeof init.body === 'string' && init.body.includes(`/meta/${wanted}`))
    const again = kind === -1 ? undefined : twice.splice(kind, 1)
    const answer = org.fetch(url, { ...init, signal })
    if (again) {
      history.sentTwice(String(init.body))
      const second = org.fetch(url, { ...init, signal }).then((response) => response.text())
      second.catch(() => {})
    }
    const response = await answer
    await pass(latency())
    return inPieces(response)
  }

  return {
    sendTwice: (kind) => void twice.push(kind),
    get waiting() {
      return waiting
    },
    fetchOf:
      (process) =>
      (input, given = {}) => {
        if (!process.touch()) return new Promise(() => {})
        const url = String(input)
        const caller = given.signal
        if (caller?.aborted) return Promise.reject(caller.reason)
        const request = history.sent(process, url, given)
        const wire = new AbortController()
        const { sockets } = process
        return new Promise<Response>((resolve, reject) => {
          let answered = false
          const over = (): void => {
            if (answered) return
            answered = true
            waiting--
            sockets.removeEventListener('abort', died)
            history.answered(request)
          }
          // The program's own abort takes effect at once; what the network brings has to reach it.
          const aborted = (): void => {
            wire.abort(caller?.reason)
            over()
            reject(caller?.reason)
          }
          const died = (): void => {
            wire.abort(sockets.reason)
            over()
            process.arrive(() => reject(sockets.reason))
          }
          waiting++
          caller?.addEventListener('abort', aborted)
          sockets.addEventListener('abort', died)
          exchange(url, given, wire.signal).then(
            (response) => {
              over()
              history.replied(request, response)
              process.arrive(() => resolve(response))
            },
            (error: unknown) => {
              over()
              process.arrive(() => reject(error))
            },
          )
        })
      },
  }
}

/** As from a socket. */
const pieceBytes = 16_384

function inPieces(response: Response): Response {
  if (!response.body) return response
  const cut = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, to) {
      for (let at = 0; at < bytes.length; at += pieceBytes) to.enqueue(bytes.subarray(at, at + pieceBytes))
    },
  })
  return new Response(response.body.pipeThrough(cut), { status: response.status, headers: response.headers })
}
