import { SfStreamError } from './errors.ts'
import type { ClientOptions, SubscribeOptions } from './options.ts'

const choices: Record<string, readonly unknown[]> = {
  commit: ['auto', 'manual'],
  replayFallback: ['all', 'new', 'fail'],
  gap: ['replay', 'report'],
}

function refuse(message: string, remediation: string): SfStreamError {
  return new SfStreamError({ code: 'bad_option', message, remediation })
}

/** A bound that is no number bounds nothing. @throws SfStreamError `bad_option` */
export function checkSubscribeOptions(options: SubscribeOptions): void {
  const { maxBuffered, maxBufferedBytes, until } = options
  const bounds = { maxBuffered, maxBufferedBytes, ...(typeof until === 'object' ? until : {}) }
  for (const [name, value] of Object.entries(bounds)) {
    if (value === undefined || (typeof value === 'number' && value >= 0)) continue
    throw refuse(`${name} is ${String(value)}.`, 'Pass a number of 0 or more.')
  }
}

/** @throws SfStreamError `bad_option` for a value no option takes */
export function checkOptions(options: ClientOptions): void {
  if (typeof options !== 'object' || options === null)
    throw refuse('createClient() needs options.', 'Pass at least { auth } or { source }.')
  for (const [name, allowed] of Object.entries(choices)) {
    const value = (options as unknown as Record<string, unknown>)[name]
    if (value !== undefined && !allowed.includes(value))
      throw refuse(`${name} is '${String(value)}'.`, `Use one of: ${allowed.join(', ')}.`)
  }
  const { replayStore: store } = options
  if (store && (typeof store.load !== 'function' || typeof store.save !== 'function')) {
    throw refuse('replayStore has no load() and save().', 'Pass a ReplayStore, or null to store nothing.')
  }
}
