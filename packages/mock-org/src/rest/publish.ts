import { eighteen, recordId, uuid } from '../ids.ts'
import { nestsTooDeep } from '../json.ts'
import { textOf } from '../text-of.ts'
import type { World } from '../world.ts'
import { notFound, restError, restJson } from './rest-reply.ts'

/** `POST /sobjects/X__e`: queued, not yet delivered, so the result is `OPERATION_ENQUEUED`. */
export function publishEvent(world: World, name: string, body: string): Response {
  const channel = `/event/${name}`
  const definition = world.bus.definition(channel)
  if (definition?.kind !== 'platform-event' || !name.endsWith('__e')) return notFound()
  const fields = parsed(body)
  if (!fields) return restError(400, 'JSON_PARSER_ERROR', 'Unexpected character in the request body')
  const unknown = definition.fields && Object.keys(fields).find((field) => !definition.fields!.includes(field))
  if (unknown !== undefined) return restError(400, 'INVALID_FIELD', `No such column '${unknown}' on sobject of type ${name}`)
  if (!world.usage.publish(1)) return restError(400, 'LIMIT_EXCEEDED', 'Organization hourly platform event publishing limit exceeded')
  world.bus.publish(channel, fields)
  const errors = [{ statusCode: 'OPERATION_ENQUEUED', message: uuid(world.random), fields: [] }]
  return restJson({ id: eighteen(recordId(world.random, 'e00')), success: true, errors }, 201)
}

/** Generic channels are told apart by the id of their StreamingChannel record. */
export function channelRecordId(world: World, channel: string): string {
  let id = world.streamingChannels.get(channel)
  if (id === undefined) {
    id = eighteen(recordId(world.random, '0M6'))
    world.streamingChannels.set(channel, id)
  }
  return id
}

/** Single-byte characters: facts 2.5. */
const longestPayload = 3_000

/** `POST` and `GET /sobjects/StreamingChannel/{id}/push`. */
export function push(world: World, id: string, method: string, body: string): Response {
  const channel = genericChannels(world).find((name) => channelRecordId(world, name).slice(0, 15) === id.slice(0, 15))
  if (channel === undefined) return notFound()
  const online = onlineUsers(world, channel)
  const isOnline = (user: string): boolean => online.some((id) => id.slice(0, 15) === user.slice(0, 15))
  if (method === 'GET') return restJson({ OnlineUserIds: online, ChannelName: channel })
  const events = parsed(body)?.pushEvents
  if (!Array.isArray(events)) return restError(400, 'JSON_PARSER_ERROR', 'pushEvents is missing')
  if (!events.every(isObject)) return restError(400, 'JSON_PARSER_ERROR', 'pushEvents is no list of objects')
  const results: unknown[] = []
  for (const event of events) {
    const payload = textOf(event.payload ?? '')
    if (payload.length > longestPayload) return restError(400, 'INVALID_FIELD', `Payload is longer than ${longestPayload} characters`)
    const wanted = Array.isArray(event.userIds) ? event.userIds.map(textOf) : []
    world.bus.publish(channel, payload, { userIds: wanted })
    const userOnlineStatus = Object.fromEntries(wanted.map((user) => [user, isOnline(user)]))
    results.push({ fanoutCount: wanted.length === 0 ? -1 : wanted.filter(isOnline).length, userOnlineStatus })
  }
  return restJson(results)
}

export function genericChannels(world: World): string[] {
  return world.bus.channels.filter((name) => world.bus.definition(name)?.kind === 'generic')
}

function onlineUsers(world: World, channel: string): string[] {
  const listening = world.sessions.all().filter((session) => [...session.subscriptions.values()].some((one) => one.channel === channel))
  return [...new Set(listening.map((session) => eighteen(session.userId)))]
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function parsed(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return isObject(value) && !nestsTooDeep(value) ? value : undefined
  } catch {
    return undefined
  }
}
