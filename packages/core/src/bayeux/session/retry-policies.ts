import { withDeadline } from '../../async/with-deadline.ts'
import { SfStreamError } from '../../errors.ts'
import type { Retry, RetryOptions, RetryPolicy } from '../../options.ts'
import type { Platform } from '../../platform.ts'

export type RetryPolicies = Record<'connect' | 'handshake' | 'subscribe' | 'auth', RetryPolicy>

function preset(baseMs: number, capMs: number): RetryPolicy {
  const forever = Number.POSITIVE_INFINITY
  return { baseMs, factor: 2, capMs, maxAttempts: forever, maxElapsedMs: forever, jitter: 'full' }
}

/** Shared by all clients that say nothing of it. Marked, so that a page without Bayeux does without. */
const presets: RetryPolicies = {
  connect: /* @__PURE__ */ preset(500, 30_000),
  handshake: /* @__PURE__ */ preset(1_000, 120_000),
  subscribe: /* @__PURE__ */ preset(500, 60_000),
  auth: /* @__PURE__ */ preset(1_000, 300_000),
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
