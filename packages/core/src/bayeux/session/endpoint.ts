import { apiVersion, latestApiVersion } from '../../api-version.ts'
import { linkedController } from '../../async/signals.ts'
import { untilAborted } from '../../async/until-aborted.ts'
import type { OrgSession } from '../../auth-provider.ts'
import { SfStreamError, TransportError } from '../../errors.ts'
import { instanceUrl } from '../../instance-url.ts'
import type { BayeuxOptions } from '../../options.ts'
import type { Platform } from '../../platform.ts'

/** Pinned: a new API version may change what events look like, so it comes with a release. */
const pinnedVersion = '66.0'

/** The CometD URL of a session's org. @throws TransportError where `latest` cannot be asked for */
export type EndpointResolver = (session: OrgSession, signal: AbortSignal) => Promise<URL>

export function endpointResolver(options: Pick<BayeuxOptions, 'endpoint' | 'apiVersion'>, platform: Platform): EndpointResolver {
  if (options.endpoint !== undefined) {
    const endpoint = checkedEndpoint(options.endpoint)
    return () => Promise.resolve(endpoint)
  }
  if (options.apiVersion !== 'latest') {
    const version = apiVersion(options.apiVersion ?? pinnedVersion)
    return (session) => Promise.resolve(new URL(`/cometd/${version}/`, instanceUrl(session.instanceUrl)))
  }
  const known = new Map<string, string>()
  return async (session, signal) => {
    const origin = instanceUrl(session.instanceUrl)
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
  throw new SfStreamError({
    code: 'bad_option',
    message: `endpoint '${String(value)}' is not an http(s) URL.`,
    remediation: 'Pass the whole URL, such as https://app.example/cometd/66.0.',
  })
}

/** `GET /services/data/` needs no token: [facts 1.3]. */
async function versionList(origin: URL, parent: AbortSignal, platform: Platform): Promise<unknown> {
  const { controller, release } = linkedController(parent)
  const cancel = platform.delay(() => controller.abort(new Error('no answer within 30000 ms')), 30_000)
  try {
    const request = platform.fetch(new URL('/services/data/', origin), {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal: controller.signal,
    })
    const response = await untilAborted(request, controller.signal)
    if (response.status !== 200) throw new Error(`HTTP ${response.status}`)
    return await untilAborted(response.json(), controller.signal)
  } catch (cause) {
    if (parent.aborted) throw parent.reason
    throw new TransportError({
      code: 'network',
      message: `The API versions of ${origin.host} could not be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
      remediation: "Pin `apiVersion`, such as '66.0'.",
      retryable: true,
      cause,
    })
  } finally {
    cancel()
    release()
  }
}
