import type { StreamEvent } from '@sfstream/core'

/** One channel of each family that has replay ids. */
export const soakChannels = [
  '/event/Low_Ink__e',
  '/data/AccountChangeEvent',
  '/topic/InvoiceStatementUpdates',
  '/u/notifications/ExampleUserChannel',
] as const

/** A payload that fits the channel and carries the number of the event on it. */
export function numberedPayload(channel: string, number: number): unknown {
  const text = String(number)
  if (channel.startsWith('/u/')) return text
  return channel.startsWith('/event/') ? { Serial_Number__c: text } : { Name: text }
}

/** The number that `numberedPayload` put in; NaN in an event that is none of ours. */
export function numberOf({ payload }: StreamEvent): number {
  if (typeof payload === 'string') return Number(payload)
  const { Serial_Number__c: serial, Name: name } = payload as Record<string, unknown>
  return Number(serial ?? name)
}
