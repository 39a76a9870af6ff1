import { withDeadline } from '../../async/with-deadline.ts'
import type { SfStreamError } from '../../errors.ts'
import type { RetryOptions, RetryPolicy } from '../../options.ts'
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

/** The caller's policies, which are checked, over the defaults. What is given as undefined is not given. */
export function retryPolicies(options: RetryOptions = {}): RetryPolicies {
  const policies = { ...presets }
  for (const name of Object.keys(presets) as (keyof RetryPolicies)[]) {
    const given = Object.entries(options[name] ?? {}).filter(([, value]) => value !== undefined)
    if (given.length > 0) policies[name] = { ...presets[name], ...Object.fromEntries(given) }
  }
  return policies
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
