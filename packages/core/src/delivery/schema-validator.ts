import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { ClientStatus } from '../client-status.ts'
import { ProtocolError } from '../errors.ts'
import type { SubscribeOptions } from '../options.ts'
import { DeliveredEvent } from './delivered-event.ts'

type OnInvalid = NonNullable<SubscribeOptions['onInvalid']>
type Checked = DeliveredEvent<unknown> | undefined

/**
 * Passes an event's payload through a schema; undefined means: skip it. A promise only where the schema is asynchronous.
 * @throws ProtocolError `invalid_event`
 */
export function validator(
  schema: StandardSchemaV1,
  report: (status: ClientStatus) => void,
  channel: string,
  onInvalid: OnInvalid,
): (event: DeliveredEvent<unknown>) => Checked | Promise<Checked> {
  const judge = (event: DeliveredEvent<unknown>, result: StandardSchemaV1.Result<unknown>): Checked => {
    if (!result.issues) return DeliveredEvent.withPayload(event, result.value)
    if (onInvalid === 'raw') return event
    const issues = described(result.issues)
    if (onInvalid === 'skip') {
      report({ type: 'invalidEvent', channel, replayId: event.replayId, issues })
      return undefined
    }
    throw new ProtocolError({
      code: 'invalid_event',
      message: `The payload of event ${String(event.replayId)} on ${channel} does not fit the schema: ${issues}.`,
      remediation: "Mend the schema, or set onInvalid to 'skip' or 'raw'. The event is not committed and comes again.",
      channel,
    })
  }
  return (event) => {
    const result = schema['~standard'].validate(event.payload)
    return 'then' in result ? result.then((settled) => judge(event, settled)) : judge(event, result)
  }
}

/** `field.inner: message; …` */
function described(issues: readonly StandardSchemaV1.Issue[]): string {
  return issues
    .map(({ path = [], message }) => {
      const where = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
      return where ? `${where}: ${message}` : message
    })
    .join('; ')
}
