/** What the neutral server publishes. */
export interface Payload {
  Number__c: number
  /** When it was published, in microseconds of the machine's monotonic clock. */
  Stamp__c: string
}

export interface ConnectOptions {
  url: string
  channels: readonly string[]
  /** In a consumer's loop or callback; what it does is waited for as the client's users would. */
  onEvent(payload: Payload): void
  /** Events in a reply, for those that do not look inside. */
  batch: number
}

/** Resolves when the subscriptions are accepted. */
export type Connect = (options: ConnectOptions) => Promise<void>

export const token = '00D000000000001!BENCH'
export const cometdPath = '/cometd/66.0'
/** The one that is good after `expireToken`. */
export const freshToken = `${token}2`
