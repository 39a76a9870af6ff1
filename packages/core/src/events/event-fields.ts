import type { BayeuxMessage } from '../bayeux/wire/message.ts'
import { isDigits } from './replay-id.ts'
import type { EventKind, ReplayId } from './stream-event.ts'

/** What a data message says about itself, whatever its family: [facts 2.5]. Never throws: data is not validated. */
export interface EventFields {
  kind: EventKind
  replayId: ReplayId | undefined
  createdDate: string | undefined
  eventUuid: string | undefined
  payload: unknown
}

export function kindOfChannel(channel: string): EventKind {
  if (channel.startsWith('/event/')) return 'platform-event'
  if (channel.startsWith('/data/')) return 'change-event'
  if (channel.startsWith('/topic/')) return 'push-topic'
  if (channel.startsWith('/u/')) return 'generic'
  if (channel.startsWith('/systemTopic/')) return 'system-topic'
  return 'unknown'
}

/** How long the org keeps a channel's events: 24 h for PushTopics and generic events, 72 h for the others. */
export function retentionMs(channel: string): number {
  return (/^\/(topic|u)\//.test(channel) ? 24 : 72) * 3_600_000
}

export function eventFields(message: BayeuxMessage, kind: EventKind): EventFields {
  const data = asObject(message.data)
  const event = asObject(data?.event)
  const payload = data && 'payload' in data ? data.payload : data && 'sobject' in data ? data.sobject : message.data
  return {
    kind,
    replayId: asReplayId(event?.replayId),
    createdDate: asText(event?.createdDate) ?? dateOfPayload(payload),
    eventUuid: asText(event?.EventUuid),
    payload,
  }
}

/** What tells one event from another: its uuid, else its replay id with the first record id (enriched change events share ids). */
export function identityOf(fields: EventFields): string | number | undefined {
  if (fields.eventUuid !== undefined) return fields.eventUuid
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

function asReplayId(value: unknown): ReplayId | undefined {
  // A negative one would mean 'new' or 'all' when sent back.
  return (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) || isDigits(asText(value) ?? '')
    ? (value as ReplayId)
    : undefined
}
