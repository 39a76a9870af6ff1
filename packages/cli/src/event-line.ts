import type { StreamEvent } from '@sfstream/node'
import type { Colors } from './terminal.ts'

/** One event as one line of JSON. */
export function eventJson({ channel, kind, replayId, createdDate, eventUuid, payload }: StreamEvent): string {
  return oneLine(JSON.stringify({ channel, kind, replayId, createdDate, eventUuid, payload }))
}

/** What JSON leaves as it is may still end a line (readers of Node and of Python split at these) or steer a terminal. */
function oneLine(json: string): string {
  return json.replace(/[\u007f-\u009f\u2028\u2029]/g, (odd) => `\\u${odd.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

export type LineEvent = Pick<StreamEvent, 'channel' | 'kind' | 'replayId' | 'payload'>

/** One event as one line for people, no longer than `columns`. With `widths`, channel, kind and id stand in columns. */
export function eventLine(event: LineEvent, now: Date, { colors, columns, widths = [0, 0, 0] }: LineLayout): string {
  const time = clock(now)
  const channel = printable(event.channel).padEnd(widths[0])
  const kind = kindName(event).padEnd(widths[1])
  const id = (event.replayId === undefined ? '-' : `#${event.replayId}`).padEnd(widths[2])
  const room = columns - [time, channel, kind, id].join('  ').length - 2
  return `${colors.dim(time)}  ${colors.cyan(channel)}  ${colors.dim(kind)}  ${colors.yellow(id)}  ${shorten(payloadText(event), room)}`
}

export interface LineLayout {
  colors: Colors
  columns: number
  widths?: readonly [channel: number, kind: number, id: number]
}

export function clock(date: Date): string {
  return date.toTimeString().slice(0, 8)
}

function kindName({ kind, payload }: LineEvent): string {
  if (kind !== 'change-event') return kind
  const header = (payload as { ChangeEventHeader?: { changeType?: unknown } } | null)?.ChangeEventHeader
  return typeof header?.changeType === 'string' ? `change-event ${printable(header.changeType)}` : kind
}

function payloadText({ kind, payload }: LineEvent): string {
  if (kind === 'change-event' && typeof payload === 'object' && payload !== null) {
    const { ChangeEventHeader: header, ...fields } = payload as { ChangeEventHeader?: { recordIds?: unknown } }
    const ids = Array.isArray(header?.recordIds) ? `${header.recordIds.join(',')} ` : ''
    return printable(`${ids}${JSON.stringify(ownFieldsFirst(fields))}`)
  }
  return printable(JSON.stringify(ownFieldsFirst(payload)) ?? '-')
}

/** What every event has goes last: a line has room for what is special about this one. */
function ownFieldsFirst(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return payload
  const { CreatedDate, CreatedById, LastModifiedDate, LastModifiedById, ...own } = payload as Record<string, unknown>
  return { ...own, CreatedDate, CreatedById, LastModifiedDate, LastModifiedById }
}

/** What an event holds must not steer the terminal. JSON escapes the rest of the control characters itself. */
function printable(text: string): string {
  return steerless(text).replace(/[\n\t]/g, '\uFFFD')
}

/** Text that others wrote, of several lines perhaps, without what would steer the terminal. */
export function steerless(text: string): string {
  return text.replace(/(?![\n\t])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\uFFFD')
}

function shorten(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(room - 1, 8))}…`
}
