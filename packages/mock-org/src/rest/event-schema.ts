import type { ChannelDefinition } from '../events/channel-definition.ts'
import { schemaId } from '../ids.ts'
import type { World } from '../world.ts'
import { notFound, restJson } from './rest-reply.ts'

/** `GET /sobjects/{Event}/eventSchema`. */
export function schemaByName(world: World, name: string, format: string | undefined): Response {
  const definition = world.bus.definition(`/event/${name}`) ?? world.bus.definition(`/data/${name}`)
  return definition && hasSchema(definition) ? restJson(schema(name, schemaId(name), definition, format)) : notFound()
}

/** `GET /event/eventSchema/{schemaId}`: of any version published so far. */
export function schemaById(world: World, id: string, format: string | undefined): Response {
  for (const channel of world.bus.channels) {
    const definition = world.bus.definition(channel)!
    if (!hasSchema(definition)) continue
    const name = channel.split('/').at(-1)!
    for (let version = 0; version < versionsTried; version += 1) {
      if (schemaId(name, version) === id) return restJson(schema(name, id, definition, format))
    }
  }
  return notFound()
}

const versionsTried = 20

/** Channels that carry events of several kinds have no schema of their own. */
function hasSchema({ kind }: ChannelDefinition): boolean {
  return kind === 'platform-event' || kind === 'change-event'
}

function schema(name: string, id: string, definition: ChannelDefinition, format = 'EXPANDED'): Record<string, unknown> {
  const expanded = format.toUpperCase() === 'EXPANDED'
  const optional = (type: string) => ['null', type]
  const own = definition.kind === 'platform-event' ? (definition.fields ?? []) : ['Name', 'OwnerId', 'LastModifiedById']
  const fields = [
    ...(definition.kind === 'change-event' ? [{ name: 'ChangeEventHeader', type: 'ChangeEventHeader' }] : []),
    { name: 'CreatedDate', type: definition.kind === 'change-event' ? optional('long') : 'long', doc: 'CreatedDate:DateTime' },
    { name: 'CreatedById', type: definition.kind === 'change-event' ? optional('string') : 'string', doc: 'CreatedBy:EntityId' },
    ...own.map((field) => ({ name: field, type: optional('string'), doc: 'Data:Text', default: null })),
  ]
  return { name, namespace: 'com.sforce.eventbus', type: expanded ? 'expanded-record' : 'record', fields, uuid: id }
}
