import type { World } from '../world.ts'
import { channelRecordId, genericChannels } from './publish.ts'
import { restError, restJson } from './rest-reply.ts'

/** Just enough SOQL to look a StreamingChannel up by its name. */
export function query(world: World, soql: string, version: string): Response {
  const found = /^\s*SELECT\s+(Id(?:\s*,\s*Name)?)\s+FROM\s+StreamingChannel(?:\s+WHERE\s+Name\s*=\s*'((?:[^'\\]|\\.)*)')?\s*$/i.exec(soql)
  if (!found) return restError(400, 'MALFORMED_QUERY', `unexpected token in query: ${soql}`)
  const wanted = found[2]?.replace(/\\(.)/g, '$1')
  const withName = /name/i.test(found[1]!)
  const records = genericChannels(world)
    .filter((name) => wanted === undefined || name === wanted)
    .map((name) => {
      const id = channelRecordId(world, name)
      const attributes = { type: 'StreamingChannel', url: `/services/data/v${version}/sobjects/StreamingChannel/${id}` }
      return { attributes, Id: id, ...(withName ? { Name: name } : {}) }
    })
  return restJson({ totalSize: records.length, done: true, records })
}
