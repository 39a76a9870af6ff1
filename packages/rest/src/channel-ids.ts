import { StateError } from '@sfstream/core'
import * as v from 'valibot'
import type { Caller } from './caller.ts'
import { soqlString } from './channel-name.ts'
import { channelRecords } from './replies.ts'
import { badReply } from './rest-fault.ts'

/** The ids of generic channels by name, looked up once each. */
export interface ChannelIds {
  /** @throws StateError `bad_channel` where the org has no such channel */
  get(channel: string, signal: AbortSignal | undefined): Promise<{ id: string; remembered: boolean }>
  forget(channel: string): void
}

const maxRemembered = 1_000

export function channelIds({ call }: Caller): ChannelIds {
  const ids = new Map<string, string>()
  return {
    forget: (channel) => {
      ids.delete(channel)
    },
    get: async (channel, signal) => {
      const known = ids.get(channel)
      if (known !== undefined) return { id: known, remembered: true }
      const q = `SELECT Id, Name FROM StreamingChannel WHERE Name = ${soqlString(channel)}`
      const reply = v.safeParse(channelRecords, await call('query', { query: { q }, ...(signal ? { signal } : {}) }))
      if (!reply.success) throw badReply('The query of StreamingChannel', 'no list of records')
      // SOQL compares without regard to case, subscribers with: another channel must not get the push.
      const id = reply.output.records.find((record) => record.Name === channel)?.Id
      if (id === undefined) {
        throw new StateError({
          code: 'bad_channel',
          channel,
          message: `The org has no StreamingChannel named '${channel}', or this user may not see it.`,
          remediation: 'Create it (Setup, Streaming Channels), or give the user access to Streaming Channels; names are case-sensitive.',
        })
      }
      if (ids.size >= maxRemembered) ids.delete(ids.keys().next().value ?? '')
      ids.set(channel, id)
      return { id, remembered: false }
    },
  }
}
