import type { BayeuxMessage } from '../bayeux/wire/message.ts'
import { isReplayId } from './replay-id.ts'
import type { EventKind, ReplayId } from './stream-event.ts'

/** What a data message says about itself, whatever its family: [facts 2.5]. Never throws: data is not validated. */
export class EventFields {
  readonly kind: EventKind
  readonly replayId: ReplayId | undefined
  readonly createdDate: string | undefined
  readonly eventUuid: string | undefined
  readonly payload: unknown

  constructor({ data }: BayeuxMessage, kind: EventKind) {
    const parts = asObject(data)
    const event = asObject(parts?.event)
    let payload = parts?.payload
    if (payload === undefined) payload = parts?.sobject
    if (payload === undefined) payload = data
    const replayId = event?.replayId
    this.kind = kind
    this.replayId = isReplayId(replayId) ? replayId : undefined
    this.createdDate = asText(event?.createdDate) ?? dateOfPayload(payload)
    this.eventUuid = asText(event?.EventUuid)
    this.payload = payload
  }
}

const families = [
  ['event', 'platform-event'],
  ['data', 'change-event'],
  ['topic', 'push-topic'],
  ['u', 'generic'],
  ['systemTopic', 'system-topic'],
] as const

export function kindOfChannel(channel: string): EventKind {
  const [, family] = /^\/(\w+)\//.exec(channel) ?? []
  return families.find(([name]) => name === family)?.[1] ?? 'unknown'
}

/** How long the org keeps a channel's events: 24 h for PushTopics and generic events, 72 h for the others. */
export function retentionMs(channel: string): number {
  return (/^\/(topic|u)\//.test(channel) ? 24 : 72) * 3_600_000
}

/** What tells one event from another: its uuid, else its replay id with the first record id (enriched change events share ids). */
export function identityOf(fields: EventFields): string | number | undefined {
  if (fields.eventUuid) return fields.eventUuid
  if (fields.replayId === undefined) return undefined
  const records = asObject(asObject(fields.payload)?.ChangeEventHeader)?.recordIds
  const record = Array.isArray(records) ? asText(records[0]) : undefined
  return record === undefined ? fields.replayId : `${fields.replayId} ${record}`
}

function dateOfPayload(payload: unknown): string | undefined {
  const object = asObject(payload)
  if (!object) return undefined
  const commit = asObject(object.ChangeEventHeader)?.commitTimestamp
  return typeof commit === 'number' ? String(commit) : (asText(commit) ?? asText(object.CreatedDate))
}

/** Milliseconds since 1970 of a `createdDate`, ISO text or digits. */
export function dateMs(createdDate: string | undefined): number | undefined {
  if (createdDate === undefined) return undefined
  const ms = /^\d+$/.test(createdDate) ? Number(createdDate) : Date.parse(createdDate)
  return Number.isNaN(ms) ? undefined : ms
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
}

/** Dates and ids are remembered, stored and sent back, ten thousand at a time: what is longer than any of them is none. */
const maxTextLength = 100

function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= maxTextLength ? value : undefined
}
