import { SfStreamError } from '@sfstream/core'

/** The URL of a relay; in a page and in a worker a path will do. @throws SfStreamError `bad_option` */
export function checkedUrl(given: string | URL): URL {
  const refuse = (what: string, remediation: string): SfStreamError =>
    new SfStreamError({ code: 'bad_option', message: `relay: ${what}.`, remediation })
  let url: URL
  try {
    url = new URL(given, globalThis.location?.href)
  } catch {
    throw refuse(`'${String(given).slice(0, 200)}' is not a URL`, 'Pass the whole URL of the relay; in a page a path will do.')
  }
  // No runtime's fetch takes them, and its error would tell them.
  if (url.username || url.password) throw refuse('the URL holds a user or a password', 'Pass them in `headers`.')
  return url
}
