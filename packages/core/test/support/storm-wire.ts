import type { MockOrg, RequestKind, VirtualClock } from '@sfstream/mock-org'
import type { BayeuxMessage, Platform } from '../../src/index.ts'

/** Draws a whole number from 0 to below `below`. */
export type Pick = (below: number) => number

export function oneOf<T>(pick: Pick, list: readonly T[]): T {
  return list[pick(list.length)] as T
}

/** What is between a client and the org: a clock that jumps, latency, and replies that are not as the org wrote them. What a client must never send is `broken`. */
export interface Wire {
  readonly platform: Platform
  /** Requests that are neither answered nor aborted, by kind. */
  readonly open: readonly string[]
  readonly sent: readonly { kind: string; at: number }[]
  readonly broken: readonly string[]
  jump(byMs: number): void
  /** The next reply to one of these requests goes through this. */
  alter(kind: RequestKind, how: (messages: BayeuxMessage[]) => BayeuxMessage[]): void
  calm(): void
}

export function wire(org: MockOrg, clock: VirtualClock, pick: Pick, latencyMs: number): Wire {
  const open: string[] = []
  const sent: { kind: string; at: number }[] = []
  const broken: string[] = []
  let skewMs = 0
  let altered: { kind: string; how: (messages: BayeuxMessage[]) => BayeuxMessage[] }[] = []
  const pass = (): Promise<void> => (latencyMs === 0 ? Promise.resolve() : new Promise((then) => void clock.delay(then, pick(latencyMs))))
  const kindOf = (body: unknown): string => /"\/(?:meta|service)\/(\w+)"/.exec(String(body))?.[1] ?? 'other'

  const through = async (response: Response, kind: string): Promise<Response> => {
    const at = altered.findIndex((each) => each.kind === kind)
    if (at < 0 || response.status !== 200) return response
    const text = await response
      .clone()
      .text()
      .catch(() => '')
    let messages: BayeuxMessage[] = []
    try {
      messages = JSON.parse(text)
    } catch {
      return response
    }
    const [{ how } = { how: (same: BayeuxMessage[]) => same }] = altered.splice(at, 1)
    return new Response(JSON.stringify(how(messages)), { status: 200, headers: response.headers })
  }

  return {
    open,
    sent,
    broken,
    jump(byMs) {
      skewMs += byMs
    },
    alter(kind, how) {
      altered.push({ kind, how })
    },
    calm() {
      altered = []
    },
    platform: {
      now: () => clock.now() + skewMs,
      delay: clock.delay,
      random: clock.random,
      fetch(input, init = {}) {
        const { signal } = init
        const kind = kindOf(init.body)
        if (signal?.aborted) return Promise.reject(signal.reason)
        if (String(input).includes('!')) broken.push(`a token in ${input}`)
        if (kind === 'connect' && open.includes('connect')) broken.push('two connects are out')
        if (kind === 'handshake' && open.some((other) => other !== 'disconnect')) broken.push(`a handshake beside ${open}`)
        if (open.filter((other) => other !== 'connect' && other !== 'disconnect').length > 0 && kind !== 'connect' && kind !== 'disconnect')
          broken.push(`${kind} beside ${open}`)
        open.push(kind)
        sent.push({ kind, at: clock.now() })
        return new Promise<Response>((resolve, reject) => {
          let over = false
          const end = (): boolean => {
            if (over) return false
            over = true
            open.splice(open.indexOf(kind), 1)
            signal?.removeEventListener('abort', aborted)
            return true
          }
          const aborted = (): void => {
            if (end()) reject(signal?.reason)
          }
          signal?.addEventListener('abort', aborted)
          const exchange = async (): Promise<Response> => {
            await pass()
            if (over) throw new TypeError('aborted')
            const response = await through(await org.fetch(input, init), kind)
            await pass()
            return response
          }
          exchange().then(
            (response) => {
              if (end()) resolve(response)
            },
            (error: unknown) => {
              if (end()) reject(error)
            },
          )
        })
      },
    },
  }
}
