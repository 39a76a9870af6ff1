/** The token of an Authorization header: `Bearer x`, `OAuth x`, or the bare token, all of which orgs accept (facts 1.2). */
export function bearer(header: string | null): string | undefined {
  const value = header?.trim()
  if (!value) return undefined
  return /^(?:bearer|oauth)\s+(\S+)$/i.exec(value)?.[1] ?? (/\s/.test(value) ? undefined : value)
}
