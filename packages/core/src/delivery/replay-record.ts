import { ReplayError } from '../errors.ts'
import { isReplayId } from '../events/replay-id.ts'
import { isSameKey, type ReplayKey, type ReplayPosition, replayPosition } from './replay-store.ts'

/** What stores of text hold: the key is inside too, so a value explains itself and a renamed or foreign one is noticed. */
export interface ReplayRecord extends ReplayKey, ReplayPosition {}

const format = 1

export function formatRecord(key: ReplayKey, position: ReplayPosition): string {
  const { org, channel, consumer } = key
  return JSON.stringify({ sfstream: format, org, channel, consumer, ...position })
}

/** @throws ReplayError `store_unreadable`, naming `path`: a file, or a key. */
export function parseRecord(text: string, path: string): ReplayRecord {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw unreadable(path, text === '' ? 'is empty' : 'is not JSON', cause)
  }
  const { sfstream, org, channel, consumer, replayId, createdDate } = Object(value) as Record<string, unknown>
  if (sfstream === undefined) throw unreadable(path, 'was not written by sfstream')
  if (sfstream !== format) throw unreadable(path, `has format ${JSON.stringify(sfstream)}; this version reads format ${format}`)
  if (typeof org !== 'string' || typeof channel !== 'string' || typeof consumer !== 'string')
    throw unreadable(path, 'does not say which org, channel and consumer it is for')
  if (!isReplayId(replayId)) throw unreadable(path, `holds no replay id (16 digits and more stand in quotes)`)
  if (createdDate !== undefined && typeof createdDate !== 'string') throw unreadable(path, 'holds a createdDate that is not text')
  return { org, channel, consumer, ...replayPosition(replayId, createdDate) }
}

/** What a record says for `key`. @throws ReplayError `store_unreadable` where it is another key's */
export function positionOf(text: string, key: ReplayKey, path: string): ReplayPosition {
  const record = parseRecord(text, path)
  const { org, channel, consumer, replayId, createdDate } = record
  if (!isSameKey(record, key)) throw unreadable(path, `is for ${channel} of org ${org}, consumer '${consumer}'`)
  return replayPosition(replayId, createdDate)
}

/** It is left as it is: it may be the only trace of where a consumer stood. */
export function unreadable(path: string, what: string, cause?: unknown): ReplayError {
  return new ReplayError({
    code: 'store_unreadable',
    message: `The stored position ${path} ${what}.`,
    remediation: 'Restore it, or move it away to begin without a position; it is left untouched.',
    cause,
  })
}
