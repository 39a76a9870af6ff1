import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { ClientStatus } from '../client-status.ts'
import { ProtocolError } from '../errors.ts'
import type { SubscribeOptions } from '../options.ts'
import { DeliveredEvent } from './delivered-event.ts'

type OnInvalid = NonNullable<SubscribeOptions['onInvalid']>

/** Passes an event's payload through a schema; undefined means: skip it. @throws ProtocolError `invalid_event` */
export function validator(
  schema: StandardSchemaV1,
  report: (status: ClientStatus) => void,
  channel: string,
  onInvalid: OnInvalid,
): (event: DeliveredEvent<unknown>) => Promise<DeliveredEvent<unknown> | undefined> {
  return async (event) => {
    const result = await schema['~standard'].validate(event.payload)
    if (!result.issues) return DeliveredEvent.withPayload(event, result.value)
    const issues = result.issues
      .map(({ path = [], message }) =>
        [path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'), message].filter(Boolean).join(': '),
      )
      .join('; ')
    switch (onInvalid) {
      case 'raw':
        return event
      case 'skip':
        report({ type: 'invalidEvent', channel, replayId: event.replayId, issues })
        return undefined
      case 'throw':
        throw new ProtocolError({
          code: 'invalid_event',
          message: `The payload of event ${String(event.replayId)} on ${channel} does not fit the schema: ${issues}.`,
          remediation: "Mend the schema, or set onInvalid to 'skip' or 'raw'. The event is not committed and comes again.",
          channel,
        })
    }
  }
}
