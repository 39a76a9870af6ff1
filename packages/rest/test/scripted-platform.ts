import type { AuthProvider, Platform } from '@sfstream/core'

export interface Seen {
  url: URL
  method: string
  headers: Headers
  body: string
  init: RequestInit
}

export type Answer = Response | Error | ((seen: Seen) => Response | Promise<Response>)

export interface ScriptedPlatform {
  platform: Platform
  seen: Seen[]
  /** Timers not yet fired nor cancelled. */
  timers(): number
  /** Moves the clock, firing what is due. */
  elapse(ms: number): void
  /** Resolves when `count` requests have been made. */
  requests(count: number): Promise<void>
}

/** A platform whose fetch gives `answers` in turn (the last one again and again) and whose clock moves by hand. */
export function scriptedPlatform(...answers: Answer[]): ScriptedPlatform {
  const seen: Seen[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  const timers = new Map<() => void, number>()
  let now = Date.UTC(2026, 0, 1)
  const platform: Platform = {
    now: () => now,
    random: () => 0.5,
    delay: (callback, delayMs) => {
      const timer = (): void => callback()
      timers.set(timer, now + delayMs)
      return () => timers.delete(timer)
    },
    fetch: async (input, init = {}) => {
      const body = typeof init.body === 'string' ? init.body : ''
      const entry = {
        url: new URL(input),
        method: init.method ?? 'GET',
        headers: new Headers(init.headers),
        body,
        init,
      }
      const answer = answers[Math.min(seen.length, answers.length - 1)]
      seen.push(entry)
      for (const waiter of waiting) if (seen.length >= waiter.count) waiter.resolve()
      if (answer === undefined) throw new Error('no answer scripted')
      if (answer instanceof Error) throw answer
      return answer instanceof Response ? answer.clone() : answer(entry)
    },
  }
  return {
    platform,
    seen,
    timers: () => timers.size,
    elapse: (ms) => {
      now += ms
      for (const [timer, due] of [...timers]) {
        if (due > now) continue
        timers.delete(timer)
        timer()
      }
    },
    requests: (count) =>
      new Promise((resolve) => {
        if (seen.length >= count) resolve()
        else waiting.push({ count, resolve })
      }),
  }
}

/** A fetch answer that never comes and rejects when its signal aborts, as a real one does. */
export function hanging(seen: Seen): Promise<Response> {
  return new Promise((_, reject) => {
    seen.init.signal?.addEventListener('abort', () => reject(seen.init.signal?.reason), { once: true })
  })
}

export const instance = 'https://acme.my.salesforce.com'

/** A session source that issues token1, token2, … and counts its logins. */
export function issuer(): AuthProvider & { logins: () => number } {
  let count = 0
  return {
    logins: () => count,
    getSession: () => {
      count++
      return Promise.resolve({ accessToken: `00Dxx!token${count}`, instanceUrl: instance })
    },
  }
}

/** Salesforce's way of refusing a REST request. */
export function refusal(status: number, errorCode: string, message: string, fields?: string[]): Response {
  return Response.json([{ message, errorCode, ...(fields ? { fields } : {}) }], { status })
}

export const expired = (): Response => refusal(401, 'INVALID_SESSION_ID', 'Session expired or invalid')

export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a failure, got ${JSON.stringify(value)}`)
    },
    (error: unknown) => error,
  )
}
