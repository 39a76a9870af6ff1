/** As `JSON.parse`, but replay ids that a JavaScript number would round are kept as text. @throws SyntaxError */
export function parseLossless(text: string): unknown {
  const parsed: unknown = JSON.parse(text)
  const messages = Array.isArray(parsed) ? parsed : [parsed]
  return messages.some(hasLongId) ? JSON.parse(longIdsAsText(text)) : parsed
}

/** An id that may have been rounded. Looked for here: a search of the text would cost each reply more than the few that are parsed twice. */
function hasLongId(message: unknown): boolean {
  const id = (message as { data?: { event?: { replayId?: unknown } | null } | null } | null)?.data?.event?.replayId
  return typeof id === 'number' && id >= 1e15
}

function longIdsAsText(text: string): string {
  return text.replace(/("replayId"\s*:\s*)(\d{16,})(?![\d.eE])/g, '$1"$2"')
}
