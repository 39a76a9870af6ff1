import { SfStreamError } from './errors.ts'
import type { ClientOptions } from './options.ts'

const choices: Record<string, readonly unknown[]> = {
  commit: ['auto', 'manual'],
  replayFallback: ['all', 'new', 'fail'],
  gap: ['replay', 'report'],
}

/** @throws SfStreamError `bad_option` for a value no option takes */
export function checkOptions(options: ClientOptions): void {
  const refuse = (message: string, remediation: string): SfStreamError => new SfStreamError({ code: 'bad_option', message, remediation })
  if (typeof options !== 'object' || options === null)
    throw refuse('createClient() needs options.', 'Pass at least { auth } or { source }.')
  for (const [name, allowed] of Object.entries(choices)) {
    const value = (options as unknown as Record<string, unknown>)[name]
    if (value !== undefined && !allowed.includes(value))
      throw refuse(`${name} is ${JSON.stringify(value)}.`, `Use one of: ${allowed.join(', ')}.`)
  }
  const { replayStore: store } = options
  if (store && (typeof store.load !== 'function' || typeof store.save !== 'function')) {
    throw refuse('replayStore has no load() and save().', 'Pass a ReplayStore, or null to store nothing.')
  }
}
