import { SfStreamError } from '@sfstream/core'
import { kindOf } from '@sfstream/core/internal'
import * as v from 'valibot'
import type { Caller } from './caller.ts'
import type { ChannelIds } from './channel-ids.ts'
import { genericChannel } from './channel-name.ts'
import { badOption } from './given.ts'
import { type PushResult, pushReply } from './replies.ts'
import { badReply } from './rest-fault.ts'

/** Streaming API guide, generic streaming: single-byte characters. */
const maxPayloadChars = 3_000

/** Pushes one text to a generic channel's subscribers. */
export async function pushEvent(
  { call }: Caller,
  ids: ChannelIds,
  request: { channel: string; payload: string; userIds: readonly string[]; signal: AbortSignal | undefined },
): Promise<PushResult> {
  const { payload, userIds, signal } = request
  const channel = genericChannel(request.channel)
  if (typeof payload !== 'string')
    throw badOption(`The payload for ${channel} is ${kindOf(payload)}`, 'Pass text, such as JSON.stringify(…).')
  if (payload.length > maxPayloadChars) {
    throw new SfStreamError({
      code: 'request_too_large',
      channel,
      message: `The payload has ${payload.length} characters; a generic channel takes ${maxPayloadChars}.`,
      remediation: 'Push a reference, such as a record id, or split the payload.',
    })
  }
  const body = { pushEvents: [{ payload, userIds }] }
  const send = async (): Promise<unknown> => {
    const { id, remembered } = await ids.get(channel, signal)
    try {
      return await call(`sobjects/StreamingChannel/${encodeURIComponent(id)}/push`, { method: 'POST', body, ...(signal ? { signal } : {}) })
    } catch (error) {
      // Deleted and created anew since its id was looked up.
      if (!(remembered && error instanceof SfStreamError && error.server?.status === 404)) throw error
      ids.forget(channel)
      return send()
    }
  }
  const reply = v.safeParse(pushReply, await send())
  const first = reply.success ? reply.output[0] : undefined
  if (!first) throw badReply(`Pushing to ${channel}`, 'no push result')
  return { fanoutCount: first.fanoutCount, userOnlineStatus: first.userOnlineStatus }
}
