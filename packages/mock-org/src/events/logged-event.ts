import { schemaId } from '../ids.ts'
import { toJson } from '../json.ts'
import type { ChannelDefinition } from './channel-definition.ts'
import type { ChangeEventHeader } from './publish-extra.ts'

/** One event in one channel's log. A change event is logged once for each channel it reaches, under that channel's id. */
export interface LoggedEvent {
  readonly channel: string
  readonly definition: ChannelDefinition
  readonly replayId: bigint | undefined
  readonly eventUuid: string | undefined
  readonly createdMs: number
  readonly loggedAt: number
  /** Ids of the users it is meant for; undefined: all who listen. */
  readonly audience: readonly string[] | undefined
  readonly body: EventBody
  /** Rendered data by endpoint version band; filled as subscribers of that version come. */
  readonly rendered: Map<string, string>
}

export type EventBody =
  | {
      kind: 'platform-event'
      name: string
      schemaVersion: number
      payload: Record<string, unknown>
      createdById: string
      /** Those of the definition, where it names them. */
      fields: readonly string[]
    }
  | { kind: 'change-event'; name: string; schemaVersion: number; payload: Record<string, unknown>; header: ChangeEventHeader }
  | { kind: 'push-topic'; type: string; sobject: Record<string, unknown> }
  | { kind: 'generic'; payload: string }
  | { kind: 'system-topic'; type: string; sobject: Record<string, unknown> }

/** Facts 1.2: EventUuid from 52.0, milliseconds from 43.0; section 5: `changedFields` from 47.0, `isTransactionEnd` before. */
function band(version: number): string {
  return version >= 52 ? '52' : version >= 47 ? '47' : version >= 43 ? '43' : '37'
}

export function isoDate(ms: number, version: number): string {
  const text = new Date(ms).toISOString()
  return version >= 43 ? text : text.replace(/\.\d{3}Z$/, 'Z')
}

/** The `data` of the message, as JSON text. */
export function renderData(event: LoggedEvent, version: number): string {
  const key = band(version)
  const known = event.rendered.get(key)
  if (known !== undefined) return known
  const text = toJson(data(event, version))
  event.rendered.set(key, text)
  return text
}

function data(event: LoggedEvent, version: number): unknown {
  const { body, replayId } = event
  const createdDate = isoDate(event.createdMs, version)
  switch (body.kind) {
    case 'platform-event':
      return {
        schema: schemaId(body.name, body.schemaVersion),
        // A field without a value comes as null: facts 2.5.
        payload: {
          CreatedDate: createdDate,
          CreatedById: body.createdById,
          ...Object.fromEntries(body.fields.map((field) => [field, null])),
          ...body.payload,
        },
        event: version >= 52 ? { EventUuid: event.eventUuid, replayId } : { replayId },
      }
    case 'change-event':
      return {
        schema: schemaId(body.name, body.schemaVersion),
        payload: { ...datedFor(version, body.payload), ChangeEventHeader: changeHeader(body.header, version) },
        event: version >= 52 && event.eventUuid !== undefined ? { EventUuid: event.eventUuid, replayId } : { replayId },
      }
    case 'push-topic':
      // Of a deleted record only the id is left: facts 2.5.
      return {
        event: { createdDate, replayId, type: body.type },
        sobject: body.type === 'deleted' ? { Id: body.sobject.Id } : body.sobject,
      }
    case 'generic':
      return { event: { createdDate, replayId }, payload: body.payload }
    case 'system-topic':
      // No replay id: facts 2.5.
      return { event: { createdDate, type: body.type }, sobject: body.sobject }
  }
}

const withMilliseconds = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{3}Z$/

/** The dates that every change event has, as endpoints of this version write them. */
function datedFor(version: number, payload: Record<string, unknown>): Record<string, unknown> {
  if (version >= 43) return payload
  const dated = { ...payload }
  for (const name of ['CreatedDate', 'LastModifiedDate']) {
    const value = dated[name]
    if (typeof value === 'string') dated[name] = value.replace(withMilliseconds, '$1Z')
  }
  return dated
}

function changeHeader(header: ChangeEventHeader, version: number): Record<string, unknown> {
  const { changedFields, ...rest } = header
  return version >= 47 ? { ...rest, changedFields } : { ...rest, isTransactionEnd: true }
}
