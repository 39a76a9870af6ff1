import { eighteen, type Random, recordId, uuid } from '../ids.ts'
import type { Switches } from '../switches.ts'
import { type ChannelDefinition, channelDefinition, type Family, familyOf, retentionMs, standardChannels } from './channel-definition.ts'
import { type EventLog, eventLog } from './event-log.ts'
import type { EventBody, LoggedEvent } from './logged-event.ts'
import type { ChangeEventHeader, PublishExtra } from './publish-extra.ts'

/** All channels of the org and their logs. */
export interface EventBus {
  definition(channel: string): ChannelDefinition | undefined
  define(channel: string | ChannelDefinition): ChannelDefinition
  readonly channels: readonly string[]
  log(channel: string): EventLog
  /**
   * Logs an event on its channel and on every channel that carries it; subscribers are served by `onLogged`.
   * @throws Error when the channel is not defined, or the payload does not fit its family.
   */
  publish(channel: string, payload: unknown, extra?: PublishExtra): LoggedEvent[]
  /** Every log starts anew; platform and change events at this id. */
  resetIds(firstId?: bigint): void
}

export interface ReplayIdOptions {
  /** The first id of platform and change events. Default: about 15,000,000, from the seed. May pass 2^53 as a bigint. */
  start?: number | bigint
  /** The greatest step between two of their ids. Default 20; 1 makes them dense, as PushTopic ids always are. */
  maxStep?: number
}

export interface EventBusOptions {
  now(): number
  random: Random
  switches: Switches
  userId: string
  channels: readonly (string | ChannelDefinition)[]
  replayIds: ReplayIdOptions
  capacity: number
  onLogged(event: LoggedEvent): void
}

export function eventBus(options: EventBusOptions): EventBus {
  const { now, random, switches, replayIds } = options
  const definitions = new Map<string, ChannelDefinition>()
  const logs = new Map<string, EventLog>()
  let start = BigInt(replayIds.start ?? 15_000_000 + Math.floor(random() * 1_000_000))
  let commit = 11_640_258_965_714
  const user = eighteen(options.userId)

  const bus: EventBus = {
    definition: (channel) => definitions.get(channel),
    get channels() {
      return [...definitions.keys()]
    },
    define(given) {
      const definition = channelDefinition(given)
      definitions.set(definition.channel, definition)
      return definition
    },
    log(channel) {
      let log = logs.get(channel)
      if (!log) {
        log = newLog(familyOf(mustBeDefined(channel)))
        logs.set(channel, log)
      }
      return log
    },
    publish(channel, payload, extra = {}) {
      const definition = mustBeDefined(channel)
      const loggedAt = now()
      const lag = switches.eventDateLagMs > 0 ? Math.floor(random() * switches.eventDateLagMs) : 0
      const createdMs = extra.createdDate === undefined ? loggedAt - lag : new Date(extra.createdDate).getTime()
      const body = eventBody(definition, payload, extra, createdMs)
      const identified = body.kind === 'platform-event' || (body.kind === 'change-event' && switches.changeEventUuid)
      const eventUuid = identified ? (extra.eventUuid ?? uuid(random)) : undefined
      return targets(definition, body).map((target) => {
        const log = bus.log(target.channel)
        const event: LoggedEvent = {
          channel: target.channel,
          definition: target,
          replayId: body.kind === 'system-topic' ? undefined : replayId(log, extra, target === definition),
          eventUuid,
          createdMs,
          loggedAt,
          audience: audienceOf(extra),
          body,
          rendered: new Map(),
        }
        log.append(event)
        options.onLogged(event)
        return event
      })
    },
    resetIds(firstId = 1_000n) {
      start = firstId
      for (const [channel, log] of logs) log.reset(familyOf(mustBeDefined(channel)) === 'platform' ? firstId : 1n)
    },
  }

  function newLog(family: Family): EventLog {
    const dense = family !== 'platform'
    return eventLog({
      family,
      now,
      random,
      retentionMs: () => retentionMs(family) + switches.latePurgeMs,
      firstId: dense ? 1n : start + BigInt(Math.floor(random() * 1_000)),
      maxStep: dense ? 1 : (replayIds.maxStep ?? 20),
      capacity: options.capacity,
    })
  }

  function replayId(log: EventLog, extra: PublishExtra, own: boolean): bigint {
    if (extra.group === 'same' && log.lastReplayId !== undefined) return log.lastReplayId
    return own && extra.replayId !== undefined ? BigInt(extra.replayId) : log.nextReplayId()
  }

  function mustBeDefined(channel: string): ChannelDefinition {
    const definition = definitions.get(channel)
    if (!definition)
      throw new Error(`The org has no channel ${channel}: add it to the channels option, or call org.define('${channel}') first.`)
    return definition
  }

  /** The channel itself first, then those that carry its events. */
  function targets(definition: ChannelDefinition, body: EventBody): ChannelDefinition[] {
    const own = body.kind === 'platform-event' ? `/event/${body.name}` : body.kind === 'change-event' ? `/data/${body.name}` : undefined
    const member = own === undefined ? undefined : definitions.get(own)
    const carrying = [...definitions.values()].filter(
      (other) =>
        (other.kind === 'custom-channel' && own !== undefined && other.members.includes(own)) ||
        (other.kind === 'change-events' && body.kind === 'change-event'),
    )
    return [...new Set([definition, ...(member ? [member] : []), ...carrying])]
  }

  function eventBody(definition: ChannelDefinition, payload: unknown, extra: PublishExtra, createdMs: number): EventBody {
    switch (definition.kind) {
      case 'platform-event':
        return platformEvent(definition.channel.slice('/event/'.length), record(definition.channel, payload), extra)
      case 'change-event':
        return changeEvent(definition.entity, record(definition.channel, payload), extra, createdMs)
      case 'change-events': {
        const fields = record(definition.channel, payload)
        const header = fields.ChangeEventHeader as Partial<ChangeEventHeader> | undefined
        return changeEvent(header?.entityName ?? extra.header?.entityName ?? 'Account', fields, extra, createdMs)
      }
      case 'custom-channel': {
        const member = definition.members[0]
        if (member === undefined) throw new Error(`The custom channel ${definition.channel} has no members.`)
        return eventBody(mustBeDefined(member), payload, extra, createdMs)
      }
      case 'push-topic':
        return {
          kind: 'push-topic',
          type: extra.type ?? 'created',
          sobject: selected(definition.fields, record(definition.channel, payload)),
        }
      case 'generic':
        if (typeof payload !== 'string')
          throw new Error(`A generic event's payload is a string; ${definition.channel} was given ${typeof payload}.`)
        return { kind: 'generic', payload }
      case 'system-topic':
        return {
          kind: 'system-topic',
          type: extra.type ?? 'created',
          sobject: sobject(record(definition.channel, payload ?? {}), systemRecord(definition.channel)),
        }
    }
  }

  function platformEvent(name: string, payload: Record<string, unknown>, extra: PublishExtra): EventBody {
    return {
      kind: 'platform-event',
      name,
      schemaVersion: extra.schemaVersion ?? 0,
      payload,
      createdById: extra.createdById ?? options.userId,
      fields: fieldsOf(definitions.get(`/event/${name}`)),
    }
  }

  function changeEvent(entity: string, fields: Record<string, unknown>, extra: PublishExtra, createdMs: number): EventBody {
    const { ChangeEventHeader: given, ...values } = fields
    const changeType = extra.changeType ?? 'CREATE'
    const { transactionKey, ...header } = { ...extra.header, ...(given as Partial<ChangeEventHeader> | undefined) }
    commit += 1 + Math.floor(random() * 1_000)
    const full: ChangeEventHeader = {
      commitNumber: commit,
      commitUser: user,
      sequenceNumber: 1,
      entityName: entity,
      changeType,
      changedFields: extra.changedFields ?? (changeType === 'UPDATE' ? [...Object.keys(values), 'LastModifiedDate'] : []),
      changeOrigin: 'com/salesforce/api/soap/60.0;client=SfdcInternalAPI/',
      transactionKey: transactionKey ?? uuid(random),
      commitTimestamp: createdMs,
      recordIds: extra.recordIds ?? [changeType === 'GAP_OVERFLOW' ? noRecord : eighteen(recordId(random, '001'))],
      ...header,
    }
    const name = entity.endsWith('__c') ? `${entity.slice(0, -1)}ChangeEvent` : `${entity}ChangeEvent`
    return {
      kind: 'change-event',
      name,
      schemaVersion: extra.schemaVersion ?? 0,
      payload: changed(full.changeType, values, createdMs),
      header: full,
    }
  }

  /** Facts section 5: CREATE and UNDELETE carry the fields that are not null, UPDATE what changed, DELETE and gaps nothing. */
  function changed(changeType: string, values: Record<string, unknown>, createdMs: number): Record<string, unknown> {
    if (changeType === 'DELETE' || changeType.startsWith('GAP_')) return {}
    const date = new Date(createdMs).toISOString()
    const kept =
      switches.nulledFields === 'null' ? values : Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null))
    if (changeType === 'UPDATE') return { LastModifiedDate: date, ...kept }
    return { CreatedDate: date, CreatedById: user, LastModifiedDate: date, LastModifiedById: user, OwnerId: user, ...kept }
  }

  function selected(fields: readonly string[] | undefined, published: Record<string, unknown>): Record<string, unknown> {
    const whole = sobject(published, 'a00')
    return fields ? Object.fromEntries(Object.entries(whole).filter(([name]) => name === 'Id' || fields.includes(name))) : whole
  }

  function sobject(fields: Record<string, unknown>, prefix: string): Record<string, unknown> {
    return { Id: eighteen(recordId(random, prefix)), ...fields }
  }

  for (const channel of [...standardChannels(), ...options.channels]) bus.define(channel)
  return bus
}

/** An overflow stands for more records than it could name. */
const noRecord = '000000000000000AAA'

/** What a system topic tells of: a log, or the run of a test. */
const systemRecord = (channel: string): string => (channel === '/systemTopic/TestResult' ? '707' : '07L')

function fieldsOf(definition: ChannelDefinition | undefined): readonly string[] {
  return (definition?.kind === 'platform-event' && definition.fields) || []
}

/** By their first fifteen characters, which name a record in both forms. */
function audienceOf({ userIds = [] }: PublishExtra): readonly string[] | undefined {
  return userIds.length === 0 ? undefined : userIds.map((id) => id.slice(0, 15))
}

function record(channel: string, payload: unknown): Record<string, unknown> {
  if (payload && typeof payload === 'object' && !Array.isArray(payload)) return payload as Record<string, unknown>
  throw new Error(`The payload of ${channel} is an object of fields.`)
}
