/** Replaces secrets in text from outside (a server's description, a network error, whose message may be no text), however they were encoded on the way. */
export function redact(text: string, secrets: readonly string[]): string {
  const forms = secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams([['', secret]]).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
  ])
  // Longest first: a secret that contains another one must go whole.
  const wanted = [...new Set(forms)].filter((form) => form.length > 0).sort((a, b) => b.length - a.length)
  return wanted.reduce((clean, form) => clean.replaceAll(form, '[secret]'), String(text))
}

/**
 * A copy of an error that may be printed. Only names, messages, codes and stacks are taken over: the originals of fetch
 * libraries carry the request, body included, and those of callers may carry anything.
 */
export function safeCause(error: unknown, secrets: readonly string[], depth = 4): Error {
  if (!(error instanceof Error)) return new Error(`Not an Error but ${error === null ? 'null' : typeof error} was thrown`)
  const copy: Error & { code?: string | number } = new Error(redact(error.message, secrets))
  copy.name = redact(error.name, secrets)
  // The frames hold no secrets and are kept as they are, but only where it is certain which part of the stack they are.
  const header = error.message ? `${error.name}: ${error.message}` : error.name
  copy.stack = `${copy.name}: ${copy.message}${error.stack?.startsWith(header) ? error.stack.slice(header.length) : ''}`
  const { code } = error as { code?: unknown }
  if (code !== undefined) copy.code = typeof code === 'number' ? code : redact(code as string, secrets)
  if (depth > 0 && error.cause !== undefined) copy.cause = safeCause(error.cause, secrets, depth - 1)
  return copy
}
