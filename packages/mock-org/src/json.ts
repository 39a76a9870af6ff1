/**
 * JSON as this org reads and writes it. Replay ids may pass 2^53, where a number would lose digits: whole numbers of 16
 * digits and more are read as text, and bigints are written as bare digits. A codec of its own on purpose: sharing the
 * client's would hide bugs that mirror each other.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  // A broken text, whose strings may not end, has thrown by here: the expression would look for their ends from every quote anew.
  if (!/\d{16}/.test(text)) return value
  // Strings first, then whole numbers with all that belongs to them: the digits of a fraction are none.
  return JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (found) => (/^-?\d{16,}$/.test(found) ? `"${found}"` : found)))
}

/** Far more than any client's messages and events have: what nests thousands deep could be read, and never written again. */
const deepest = 100

export function nestsTooDeep(value: unknown, levels = deepest): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((item) => nestsTooDeep(item, levels - 1))
}

const mark = '\u0001'

export function toJson(value: unknown): string {
  let marked = false
  const text = JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item !== 'bigint') return item
    marked = true
    return `${mark}${item}`
  })
  // JSON.stringify writes U+0001 as an escape of six characters.
  return marked ? text.replace(/"\\u0001(-?\d+)"/g, '$1') : text
}
