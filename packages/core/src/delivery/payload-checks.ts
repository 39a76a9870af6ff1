import type { StandardSchemaV1 } from '@standard-schema/spec'
import { serial } from '../async/serial.ts'
import { ProtocolError } from '../errors.ts'
import type { SubscribeOptions } from '../options.ts'
import { DeliveredEvent } from './delivered-event.ts'

export interface PayloadCheckParts {
  channel: string
  onInvalid: SubscribeOptions['onInvalid']
  /** It fits, or is to be taken as it is. */
  passed(event: DeliveredEvent): void
  /** It is to be left out: it does not fit, and that was reported. */
  skipped(event: DeliveredEvent, issues: string): void
  /** @param error ProtocolError `invalid_event`, or what the schema threw */
  failed(error: unknown): void
  /** One is judged, and `size` is less. */
  judged(): void
}

/** Passes payloads through a schema on arrival, in order, so that a consumer never waits for it, nor `events()` has to know. */
export interface PayloadChecks {
  /** Events received and not judged. */
  size(): number
  check(event: DeliveredEvent): void
  /** Once every payload received so far is judged. */
  afterwards(then: () => void): void
  /** Forgets what waits. */
  clear(): void
}

export function payloadChecks(schema: StandardSchemaV1, parts: PayloadCheckParts): PayloadChecks {
  const { channel, onInvalid, passed, skipped, failed, judged } = parts
  const tasks = serial(failed, judged)
  const judge = (event: DeliveredEvent, result: StandardSchemaV1.Result<unknown>): void => {
    if (!result.issues) return passed(DeliveredEvent.withPayload(event, result.value))
    if (onInvalid === 'raw') return passed(event)
    const issues = described(result.issues)
    if (onInvalid === 'skip') return skipped(event, issues)
    throw new ProtocolError({
      code: 'invalid_event',
      message: `The payload of event ${String(event.replayId)} on ${channel} does not fit the schema: ${issues}.`,
      remediation: "Mend the schema, or set onInvalid to 'skip' or 'raw'. The event is not committed and comes again.",
      channel,
    })
  }
  return {
    size: () => tasks.size,
    check(event) {
      tasks.run(() => {
        const result = schema['~standard'].validate(event.payload)
        return 'then' in result ? result.then((settled) => judge(event, settled)) : judge(event, result)
      })
    },
    afterwards: tasks.run,
    clear: tasks.clear,
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
