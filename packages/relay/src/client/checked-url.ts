import { SfStreamError } from '@sfstream/core'

/** The URL of a relay; in a page and in a worker a path will do. @throws SfStreamError `bad_option` */
export function checkedUrl(url: string | URL): URL {
  const base = typeof location === 'object' ? location.href : undefined
  const bad = (message: string, remediation: string, cause?: unknown): SfStreamError =>
    new SfStreamError({ code: 'bad_option', message, remediation, cause })
  let checked: URL
  try {
    checked = new URL(url, base)
  } catch (cause) {
    throw bad(`relay: '${String(url).slice(0, 200)}' is not a URL.`, 'Pass the whole URL of the relay; in a page a path will do.', cause)
  }
  // No runtime's fetch takes them, and its error would tell them.
  if (checked.username || checked.password) throw bad('relay: the URL holds a user or a password.', 'Pass them in `headers`.')
  return checked
}
