import type { BayeuxMessage } from '@sfstream/core'
import { type ChannelDefinition, familyOf } from '../events/channel-definition.ts'
import { genericChannels } from '../rest/publish.ts'
import { textOf } from '../text-of.ts'
import type { World } from '../world.ts'
import { startReplay } from './delivery.ts'
import { failure, type Reply, success } from './reply.ts'
import type { Session } from './session.ts'
import * as texts from './texts.ts'
import { type TopicFilter, topicFilter } from './topic-filter.ts'

export function subscribe(world: World, session: Session, message: BayeuxMessage): Reply {
  const { clientId } = session
  const names = Array.isArray(message.subscription) ? message.subscription : [message.subscription]
  const accepted: Accepted[] = []
  for (const name of names) {
    const checked = check(world, message, name)
    if (typeof checked === 'string') return failure(message, { error: checked, clientId })
    accepted.push(checked)
  }
  for (const one of accepted) accept(world, session, one)
  return success(message, { clientId, subscription: message.subscription! })
}

export function unsubscribe(session: Session, message: BayeuxMessage): Reply {
  const names = Array.isArray(message.subscription) ? message.subscription : [message.subscription]
  // What is queued already still arrives.
  for (const name of names) if (name !== undefined) session.subscriptions.delete(name)
  return success(message, {
    clientId: session.clientId,
    ...(message.subscription === undefined ? {} : { subscription: message.subscription }),
  })
}

interface Accepted {
  key: string
  channel: string
  filter: TopicFilter | undefined
  replay: string | undefined
  position: number
}

/** The subscription as it would start, or the text of its refusal. */
function check(world: World, message: BayeuxMessage, name: unknown): Accepted | string {
  if (typeof name !== 'string' || name === '') return texts.noChannel
  if (!name.startsWith('/')) return texts.noSlash
  const [channel = '', query] = split(name)
  const definition = definitionFor(world, channel)
  if (typeof definition === 'string') return definition
  const denied = world.denied.get(channel)
  if (denied !== undefined) return denied
  const filter = query === undefined || definition.kind !== 'push-topic' ? undefined : topicFilter(query)
  if (filter && definition.kind === 'push-topic' && definition.fields) {
    const known = definition.fields
    const missing = filter.fields.filter((field) => !known.includes(field))
    if (missing.length > 0) return texts.noSuchFields(missing)
  }
  if (world.usage.exhausted(familyOf(definition))) return texts.dailyLimit
  const log = world.bus.log(channel)
  const replay = definition.kind === 'system-topic' ? undefined : replayWanted(message, channel)
  if (replay && 'refusal' in replay) return replay.refusal
  const position = replay === undefined ? log.end : startPosition(world, channel, replay.id)
  if (position === undefined) return texts.invalidReplay(replay!.id, world.switches.replayTextSpaces)
  return { key: name, channel, filter, replay: replay?.id, position }
}

/** PushTopic filters stand after a `?`; other channels have no query. */
function split(name: string): [string, string?] {
  const mark = name.indexOf('?')
  return mark > 0 && name.startsWith('/topic/') ? [name.slice(0, mark), name.slice(mark + 1)] : [name]
}

function definitionFor(world: World, channel: string): ChannelDefinition | string {
  const known = world.bus.definition(channel)
  if (known) return known
  if (channel.startsWith('/topic/')) return texts.createDenied
  if (channel.startsWith('/event/') || channel.startsWith('/data/') || channel.startsWith('/systemTopic/'))
    return texts.noSuchChannel(channel)
  if (!channel.startsWith('/u/') || channel.includes('*')) return texts.restrictedChannel
  if (world.bus.channels.some((other) => other.toLowerCase() === channel.toLowerCase())) return texts.channelCase
  if (!world.accounts.dynamicChannels) return texts.unknownChannel
  return genericChannels(world).length < world.limits.streamingChannels ? world.bus.define(channel) : texts.channelLimit
}

/** Undefined without a map, which means new events only; a map that lacks the channel is an error (facts 2.4). */
function replayWanted(message: BayeuxMessage, channel: string): { id: string } | { refusal: string } | undefined {
  const map = message.ext?.replay
  if (map === undefined || map === null || typeof map !== 'object') return undefined
  const entries = map as Record<string, unknown>
  const value = entries[channel]
  if (value !== undefined && value !== null) return { id: textOf(value) }
  const shown = Object.entries(entries).map(([key, id]) => `${key}=${textOf(id)}`)
  return { refusal: texts.replayNotInMap(channel, `{${shown.join(', ')}}`) }
}

function startPosition(world: World, channel: string, id: string): number | undefined {
  const log = world.bus.log(channel)
  if (id === '-1') return log.end
  if (id === '-2') return log.startAfter('all', 'refuse')
  if (!/^\d+$/.test(id)) return undefined
  if (/^0+$/.test(id)) return world.switches.replayZero === 'all' ? log.startAfter('all', 'refuse') : undefined
  return log.startAfter(BigInt(id).toString(), world.switches.unknownReplayId)
}

function accept(world: World, session: Session, { key, channel, filter, replay, position }: Accepted): void {
  const former = session.subscriptions.get(key)
  // Subscribing again starts again: what the former subscription had queued would come twice.
  if (former) session.queue = session.queue.filter((queued) => queued.subscription !== former)
  const subscription = { key, channel, filter, replay, since: world.clock.now(), live: false }
  session.subscriptions.set(key, subscription)
  startReplay(world, session, subscription, position)
}
