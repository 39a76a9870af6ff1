import { ReplayError, textOf } from '../errors.ts'
import type { ReplayId } from './stream-event.ts'

/** A negative one would mean 'new' or 'all' when sent back; text is sent as raw digits, and JSON has no numbers with leading zeros. */
export function isReplayId(value: unknown): value is ReplayId {
  return typeof value === 'number'
    ? Number.isSafeInteger(value) && value >= 0
    : typeof value === 'string' && /^(0|[1-9]\d{0,99})$/.test(value)
}

/** A replay id as given by a caller or a store, checked. @throws ReplayError `bad_replay` */
export function checkedReplayId(value: unknown): ReplayId {
  if (isReplayId(value)) return typeof value === 'string' && value.length < 16 ? Number(value) : value
  throw new ReplayError({
    code: 'bad_replay',
    message: `${textOf(value)} is not a replay position.`,
    remediation: "Use 'stored', 'new' (-1), 'all' (-2), 'off', or an event's replay id.",
  })
}
