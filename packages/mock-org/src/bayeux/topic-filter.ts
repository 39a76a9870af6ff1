import { textOf } from '../text-of.ts'

/** A PushTopic filter: `/topic/T?Industry='Energy'&ShippingCity='San Francisco'`, where `&` means OR. */
export interface TopicFilter {
  readonly fields: readonly string[]
  matches(record: Record<string, unknown>): boolean
}

/** Quotes around values are optional: the guide wants them, a well-known client's example leaves them out. */
export function topicFilter(query: string): TopicFilter {
  const conditions = query.split('&').map((condition) => {
    const equals = condition.indexOf('=')
    const field = equals < 0 ? condition : condition.slice(0, equals)
    const value = equals < 0 ? '' : decode(condition.slice(equals + 1))
    return { field: field.trim(), value: value.replace(/^'(.*)'$/s, '$1') }
  })
  return {
    fields: conditions.map((condition) => condition.field),
    matches: (record) => conditions.some(({ field, value }) => textOf(record[field] ?? '') === value),
  }
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
