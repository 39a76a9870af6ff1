import { SfStreamError } from '@sfstream/core'

/** The URL of a relay; in a page and in a worker a path will do. @throws SfStreamError `bad_option` */
export function checkedUrl(url: string | URL): URL {
  const base = typeof location === 'object' ? location.href : undefined
  try {
    return new URL(url, base)
  } catch (cause) {
    throw new SfStreamError({
      code: 'bad_option',
      message: `relay: '${String(url).slice(0, 200)}' is not a URL.`,
      remediation: 'Pass the whole URL of the relay; in a page a path will do.',
      cause,
    })
  }
}
