/** Longer than any text of an org; a hostile one could fill memory, or keep a pattern busy for minutes. */
const maxQuoted = 1_000

/** Text from outside, fit for an error: its beginning, with access tokens that it may echo left out. */
export function quoted(text: string, maxLength: number = maxQuoted): string {
  return text.slice(0, maxLength).replace(/(\b00D\w{9,15}(?:!|%21)|\bBearer\s+)[^\s"'<>]+/gi, '$1…')
}
