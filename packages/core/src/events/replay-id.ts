import { ReplayError, textOf } from '../errors.ts'
import type { ReplayId } from './stream-event.ts'

/** Of a replay id kept as text. Without leading zeros: it is sent back as raw digits, and JSON has no such numbers. */
export function isDigits(text: string): boolean {
  return /^(0|[1-9]\d*)$/.test(text)
}

/** A replay id as given by a caller or a store, checked. @throws ReplayError `bad_replay` */
export function checkedReplayId(value: unknown): ReplayId {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  if (typeof value === 'string' && isDigits(value)) {
    const number = Number(value)
    return Number.isSafeInteger(number) && String(number) === value && value.length < 16 ? number : (value as ReplayId)
  }
  throw new ReplayError({
    code: 'bad_replay',
    message: `${textOf(value)} is not a replay position.`,
    remediation: "Use 'stored', 'new', 'all', 'off', or the replay id of an event received before.",
  })
}
