/**
 * JSON as this org reads and writes it. Replay ids may pass 2^53, where a number would lose digits: whole numbers of 16
 * digits and more are read as text, and bigints are written as bare digits. A codec of its own on purpose: sharing the
 * client's would hide bugs that mirror each other.
 */
export function parseJson(text: string): unknown {
  // Strings first, then whole numbers with all that belongs to them: the digits of a fraction are none.
  return JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (found) => (/^-?\d{16,}$/.test(found) ? `"${found}"` : found)))
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
