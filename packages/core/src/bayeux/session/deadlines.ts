import { withDeadline } from '../../async/with-deadline.ts'
import type { Platform } from '../../platform.ts'
import type { Deadline, Transport } from '../transport/transport.ts'

/** Deadline of every request but held polls. [PROTOCOL T1] */
export const shortDeadline: Deadline = { headersMs: 30_000, idleMs: 30_000, totalMs: 600_000 }
/** How long a goodbye may take. */
export const goodbyeMs = 2_000
/**
 * An org forgets a session 40 s after its last answer, so a poll may be held back for this long: a second more than a full
 * buffer asks for, which is then let off on the wire first. [PROTOCOL B1]
 */
export const maxHoldMs = 26_000
/** What an org holds a poll for, before it has said so. */
const defaultHoldMs = 110_000

/** A negative hold is none an org could mean: every poll would be late before it is sent. */
export function pollDeadline(timeoutMs: number | undefined): Deadline {
  return { ...shortDeadline, headersMs: (timeoutMs !== undefined && timeoutMs >= 0 ? timeoutMs : defaultHoldMs) + 20_000 }
}

/** Nobody waits long for a transport that does not close. */
export async function closeTransport(transport: Transport, platform: Platform): Promise<void> {
  if (!transport.close) return
  await withDeadline(goodbyeMs, { platform }, async () => transport.close?.()).catch(() => {})
}
