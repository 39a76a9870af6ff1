import { SfStreamError } from '@sfstream/core'
import { kindOf } from '@sfstream/core/internal'
import * as v from 'valibot'
import type { Caller } from './caller.ts'
import { eventName } from './channel-name.ts'
import { badOption } from './given.ts'
import { type PublishResult, publishReply } from './replies.ts'
import { badReply } from './rest-fault.ts'

/** Publishes one platform event. */
export async function publishEvent(
  { call }: Caller,
  event: string,
  fields: Readonly<Record<string, unknown>>,
  signal: AbortSignal | undefined,
): Promise<PublishResult> {
  const name = eventName(event)
  if (kindOf(fields) !== 'object') throw badOption(`The fields of ${name} are ${kindOf(fields)}`, 'Pass an object: { Amount__c: 7 }.')
  const target = `Publishing ${name}`
  const reply = v.safeParse(publishReply, await call(`sobjects/${name}`, { method: 'POST', body: fields, ...(signal ? { signal } : {}) }))
  if (!reply.success) throw badReply(target, 'no publish result')
  const { id, success, errors } = reply.output
  if (!success) {
    const { statusCode = '', message = '' } = errors[0] ?? {}
    throw new SfStreamError({
      code: 'request_refused',
      message: `${target} failed (${statusCode}, ${message}).`,
      remediation: 'See `server.error` and `server.text`: Salesforce says what is wrong with the event.',
      server: { error: statusCode, text: message },
    })
  }
  // A success lists one "error", OPERATION_ENQUEUED, whose message is the EventUuid.
  return { id, eventUuid: errors.find((entry) => entry.statusCode === 'OPERATION_ENQUEUED')?.message }
}
