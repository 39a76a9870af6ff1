import { apiVersion, latestApiVersion } from '../../api-version.ts'
import { readText } from '../../async/read-text.ts'
import { deadlineReached, withDeadline } from '../../async/with-deadline.ts'
import type { OrgSession } from '../../auth-provider.ts'
import { badOption, TransportError, textOf } from '../../errors.ts'
import type { BayeuxOptions } from '../../options.ts'
import type { Platform } from '../../platform.ts'

/** Pinned: a new API version may change what events look like, so it comes with a release. */
const pinnedVersion = '66.0'

/** An org's list has some thousands. */
const maxListBytes = 1_000_000

/** The CometD URL of a session's org. @throws TransportError where `latest` cannot be asked for */
export type EndpointResolver = (session: OrgSession, signal: AbortSignal) => Promise<URL>

export function endpointResolver(options: Pick<BayeuxOptions, 'endpoint' | 'apiVersion'>, platform: Platform): EndpointResolver {
  if (options.endpoint !== undefined) {
    const endpoint = checkedEndpoint(options.endpoint)
    return () => Promise.resolve(endpoint)
  }
  if (options.apiVersion !== 'latest') {
    const version = apiVersion(options.apiVersion ?? pinnedVersion)
    return (session) => Promise.resolve(new URL(`/cometd/${version}/`, new URL(session.instanceUrl)))
  }
  return latestResolver(platform)
}

function latestResolver(platform: Platform): EndpointResolver {
  const known = new Map<string, string>()
  return async (session, signal) => {
    const origin = new URL(session.instanceUrl)
    const version = known.get(origin.href) ?? latestApiVersion(await versionList(origin, signal, platform)) ?? pinnedVersion
    known.set(origin.href, version)
    return new URL(`/cometd/${version}/`, origin)
  }
}

function checkedEndpoint(value: string | URL): URL {
  try {
    const url = new URL(value)
    if (url.protocol === 'https:' || url.protocol === 'http:') return url
  } catch {
    // Answered below.
  }
  throw badOption(`endpoint '${textOf(value)}' is not an http(s) URL`, 'Pass the whole URL, such as https://app.example/cometd/66.0.')
}

/** `GET /services/data/` needs no token: [facts 1.3]. */
async function versionList(origin: URL, signal: AbortSignal, platform: Platform): Promise<unknown> {
  const request = { headers: { accept: 'application/json' }, redirect: 'manual' } as const
  try {
    return await withDeadline(30_000, { signal, platform }, async (limited) => {
      const response = await platform.fetch(new URL('/services/data/', origin), { ...request, signal: limited })
      if (response.status !== 200) throw new Error(`HTTP ${response.status}`)
      const text = await readText(response.body ?? undefined, maxListBytes)
      if (text === undefined) throw new Error(`it is over ${maxListBytes} bytes`)
      return JSON.parse(text)
    })
  } catch (cause) {
    if (signal.aborted) throw signal.reason
    const why = cause === deadlineReached ? 'no answer within 30 s' : textOf(cause)
    throw new TransportError({
      code: 'network',
      message: `The API versions of ${origin.host} could not be read: ${why}.`,
      remediation: "Pin `apiVersion`, such as '66.0'.",
      retryable: true,
      cause,
    })
  }
}
