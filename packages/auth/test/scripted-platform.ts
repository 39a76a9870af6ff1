import type { Platform } from '@sfstream/core'

export interface Seen {
  url: URL
  method: string
  headers: Headers
  body: string
  form: Record<string, string>
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
        form: Object.fromEntries(new URLSearchParams(body)),
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

export function tokenReply(accessToken: string, more: Record<string, unknown> = {}): Response {
  return Response.json({
    access_token: accessToken,
    signature: 'c2lnbmF0dXJl',
    scope: 'api',
    instance_url: instance,
    id: 'https://login.salesforce.com/id/00Dxx0000001gERXXX/005xx000001AbCDEFG',
    token_type: 'Bearer',
    issued_at: '1767225600000',
    ...more,
  })
}

export function refusal(error: string, description: string, status = 400): Response {
  return Response.json({ error, error_description: description }, { status })
}

/** Signals of a caller that never leaves. */
export function context(scripted: ScriptedPlatform): { signal: AbortSignal; platform: Platform } {
  return { signal: new AbortController().signal, platform: scripted.platform }
}

export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a failure, got ${JSON.stringify(value)}`)
    },
    (error: unknown) => error,
  )
}
