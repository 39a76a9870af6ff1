import { familyOf } from '../events/channel-definition.ts'
import { type LoggedEvent, renderData } from '../events/logged-event.ts'
import { toJson } from '../json.ts'
import type { World } from '../world.ts'
import type { QueuedEvent, Session, TopicSubscription } from './session.ts'
import { dailyLimit } from './texts.ts'

/** Queues a logged event for every living subscription it belongs to. */
export function fanOut(world: World, event: LoggedEvent): void {
  for (const session of world.sessions.all()) {
    for (const subscription of session.subscriptions.values()) {
      if (subscription.live && subscription.channel === event.channel && wants(session, subscription, event)) {
        session.queue.push({ event, subscription })
        scheduleFlush(world, session)
      }
    }
  }
}

function wants(session: Session, subscription: TopicSubscription, event: LoggedEvent): boolean {
  if (event.audience && !event.audience.includes(session.userId.slice(0, 15))) return false
  if (!subscription.filter || event.body.kind !== 'push-topic') return true
  return subscription.filter.matches(event.body.sobject)
}

/** Queues what the log holds from `position` on; from then on the subscription is live. */
export function startReplay(world: World, session: Session, subscription: TopicSubscription, position: number): void {
  const start = (): void => {
    if (session.subscriptions.get(subscription.key) !== subscription) return
    const log = world.bus.log(subscription.channel)
    for (let index = position; index < log.end; index += 1) {
      const event = log.at(index)
      if (event && wants(session, subscription, event)) session.queue.push({ event, subscription })
    }
    subscription.live = true
    scheduleFlush(world, session)
  }
  const { replayDelayMs } = world.switches
  if (replayDelayMs > 0) world.clock.delay(start, replayDelayMs)
  else start()
}

/** Answers a held connect once the code that publishes has yielded, so that events published together travel together. */
function scheduleFlush(world: World, session: Session): void {
  if (session.flushing || session.queue.length === 0) return
  session.flushing = true
  const flush = (): void => {
    session.flushing = false
    if (session.queue.length === 0 || !session.held) return
    const refusal = overDailyLimit(world, session)
    if (refusal) session.held.finish({ kind: 'failed', error: refusal, reconnect: 'none', kicked: false })
    else session.held.finish({ kind: 'data' })
  }
  if (world.switches.batchMs > 0) world.clock.delay(flush, world.switches.batchMs)
  else queueMicrotask(flush)
}

/** The next events of the session as JSON texts; they count as delivered from here on, whatever becomes of the reply. */
export function takeEvents(world: World, session: Session): string[] {
  const { queue } = session
  const taken = queue.splice(0, batchSize(world, queue))
  for (const { event } of taken) {
    world.usage.delivered(familyOf(event.definition), 1)
    world.onDelivered(session, event)
  }
  return taken.map(({ event, subscription }) => {
    const channel = toJson(world.switches.queryInDataChannel ? subscription.key : event.channel)
    const clientId = world.switches.clientIdInData ? `"clientId":"${session.clientId}",` : ''
    return `{"data":${renderData(event, session.version)},${clientId}"channel":${channel}}`
  })
}

function batchSize(world: World, queue: readonly QueuedEvent[]): number {
  const size = Math.min(queue.length, world.switches.maxEventsPerReply)
  if (!world.switches.splitEqualIds) return size
  const equal = (index: number): boolean => {
    const [one, next] = [queue[index]?.event, queue[index + 1]?.event]
    return (
      one !== undefined &&
      next !== undefined &&
      one.replayId !== undefined &&
      one.replayId === next.replayId &&
      one.channel === next.channel
    )
  }
  for (let index = 0; index < size - 1; index += 1) if (equal(index)) return index + 1
  return size
}

/** The refusal's text when a family the session listens to has used up its day. */
export function overDailyLimit(world: World, session: Session): string | undefined {
  for (const { channel } of session.subscriptions.values()) {
    const definition = world.bus.definition(channel)
    if (definition && world.usage.exhausted(familyOf(definition))) return dailyLimit
  }
  return undefined
}
