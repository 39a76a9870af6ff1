import type { PublishExtra } from '@sfstream/mock-org'

export interface SampleEvent {
  channel: string
  payload: Record<string, unknown> | string
  extra?: PublishExtra
}

/** One channel of each family. */
export const sampleChannels = ['/event/Order__e', '/data/AccountChangeEvent', '/topic/OpenCases', '/u/Notices'] as const

const pick = <T>(list: readonly T[], at: number): T => list[at % list.length] as T

/** The n-th of an endless row of small, varied events, going round the channels. */
export function sampleEvent(n: number): SampleEvent {
  const round = Math.floor(n / sampleChannels.length)
  const channel = pick(sampleChannels, n)
  switch (channel) {
    case '/event/Order__e':
      return {
        channel,
        payload: { Number__c: 1001 + round, Status__c: pick(['Placed', 'Paid', 'Shipped'], round) },
      }
    case '/data/AccountChangeEvent':
      return {
        channel,
        payload: { Rating: pick(['Hot', 'Warm', 'Cold'], round) },
        extra: { changeType: 'UPDATE', recordIds: [`001xx000003DGb${String(round % 100).padStart(2, '0')}AA`] },
      }
    case '/topic/OpenCases':
      return { channel, payload: { Id: `500xx000001Abc${String(round % 100).padStart(2, '0')}AA`, Name: `Case ${42 + round}` } }
    case '/u/Notices':
      return { channel, payload: pick(['Backup done', 'Deployment begins', 'Deployment done'], round) }
  }
}
