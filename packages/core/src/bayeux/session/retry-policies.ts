import { withDeadline } from '../../async/with-deadline.ts'
import { SfStreamError } from '../../errors.ts'
import type { Retry, RetryOptions, RetryPolicy } from '../../options.ts'
import type { Platform } from '../../platform.ts'

export type RetryPolicies = Record<'connect' | 'handshake' | 'subscribe' | 'auth', RetryPolicy>

const preset: RetryPolicy = {
  baseMs: 500,
  factor: 2,
  capMs: 60_000,
  maxAttempts: Number.POSITIVE_INFINITY,
  maxElapsedMs: Number.POSITIVE_INFINITY,
  jitter: 'full',
}
const presets: RetryPolicies = {
  connect: { ...preset, capMs: 30_000 },
  handshake: { ...preset, baseMs: 1000, capMs: 120_000 },
  subscribe: preset,
  auth: { ...preset, baseMs: 1000, capMs: 300_000 },
}

/** The caller's policies over the defaults. @throws SfStreamError `bad_option` */
export function retryPolicies(options: RetryOptions = {}): RetryPolicies {
  return {
    connect: policy('connect', options.connect),
    handshake: policy('handshake', options.handshake),
    subscribe: policy('subscribe', options.subscribe),
    auth: policy('auth', options.auth),
  }
}

const maxVerdictMs = 30_000

/** The caller's verdict on a failure; undefined where there is none. A predicate that throws, or does not answer, has none. */
export async function verdict(
  { shouldRetry }: RetryPolicy,
  error: SfStreamError,
  attempt: number,
  limits: { signal?: AbortSignal; platform: Pick<Platform, 'delay'> },
): Promise<boolean | undefined> {
  if (!shouldRetry) return undefined
  try {
    return await withDeadline(maxVerdictMs, limits, async () => shouldRetry(error, attempt))
  } catch {
    return undefined
  }
}

function policy(name: keyof RetryPolicies, given: Retry | undefined): RetryPolicy {
  const merged: RetryPolicy = given ? { ...presets[name], ...given } : presets[name]
  for (const key of ['baseMs', 'factor', 'capMs', 'maxAttempts', 'maxElapsedMs'] as const) {
    if (typeof merged[key] === 'number' && merged[key] >= 0) continue
    throw new SfStreamError({
      code: 'bad_option',
      message: `retry.${name}.${key} is ${String(merged[key])}.`,
      remediation: 'Pass a number of 0 or more; Infinity never gives up.',
    })
  }
  return merged
}
