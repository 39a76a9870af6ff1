import type { OrgSession } from '@sfstream/core'
import { sleep } from '@sfstream/core/internal'
import type { LoginContext } from './session-cache.ts'

/** A few failures in a row are any client's own; its delays are longer than the gaps then. */
const freeFailures = 4
const longestGapMs = 60_000

/**
 * Keeps apart logins that fail in a row. Clients that share a provider try again each in its own time, which is a storm where they
 * are many: Salesforce allows 3,600 logins an hour and user, and says no to all of them beyond.
 */
export function spaced<C extends Pick<LoginContext, 'signal' | 'platform'>>(
  login: (context: C) => Promise<OrgSession>,
): (context: C) => Promise<OrgSession> {
  let failures = 0
  let failedAt = 0
  return async (context) => {
    const { signal, platform } = context
    const gapMs = failures > freeFailures ? Math.min(longestGapMs, 500 * 2 ** (failures - freeFailures)) : 0
    // A clock that was set back makes no gap longer.
    const leftMs = Math.min(gapMs, failedAt + gapMs - platform.now())
    if (leftMs > 0) await sleep(leftMs, signal, platform)
    try {
      const session = await login(context)
      failures = 0
      return session
    } catch (error) {
      if (!signal.aborted) {
        failures++
        failedAt = platform.now()
      }
      throw error
    }
  }
}
