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

/** Bigints go through as strings with a mark in front, longer than any that stands in the value itself. */
export function toJson(value: unknown, length = 1): string {
  const mark = '\u0001'.repeat(length)
  let marked = 0
  const text = JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item !== 'bigint') return item
    marked += 1
    return `${mark}${item}`
  })
  if (marked === 0) return text
  // JSON.stringify writes U+0001 as an escape of six characters.
  const written = '\\u0001'.repeat(length)
  if (text.split(written).length - 1 !== marked) {
    const longest = text.match(/(?:\\u0001)+/g)!.reduce((most, run) => Math.max(most, run.length), 0)
    return toJson(value, longest / '\\u0001'.length + 1)
  }
  return text.replace(new RegExp(`"(?:\\\\u0001){${length}}(-?\\d+)"`, 'g'), '$1')
}
