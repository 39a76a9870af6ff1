import type { Platform } from '@sfstream/core'
import { kindOf, webPlatform } from '@sfstream/core/internal'
import * as v from 'valibot'
import { caller } from './caller.ts'
import { channelIds } from './channel-ids.ts'
import { badOption, onlyKnown } from './given.ts'
import { publishEvent } from './publish.ts'
import { pushEvent } from './push.ts'
import { type ApiVersion, type Limits, limitList, type PublishResult, type PushResult } from './replies.ts'
import { badReply } from './rest-fault.ts'
import type { RestRequest } from './rest-request.ts'
import type { Auth } from './session-source.ts'

export interface RestClientOptions {
  /** The same provider a streaming client uses may be passed: they share its session. */
  auth: Auth
  /** Default `66.0`; `latest` asks the org once. */
  apiVersion?: string
  /** fetch, clock; by default the runtime's own. */
  platform?: Partial<Platform>
}

/** What every named call may set. */
export type CallOptions = Pick<RestRequest, 'signal'>

/**
 * One-shot REST calls with the org's token. Nothing is tried again except once after a refused token; no redirect is followed.
 *
 * Every call @throws
 * - AuthenticationError: the login's own, or `token_refused`
 * - LimitError `event_limit`, `server_busy` (retryable)
 * - StateError `bad_option`, before anything is sent
 * - TransportError `network`, `timeout`, `http_status`, `redirected`
 * - ProtocolError `bad_reply`, `message_too_large`
 * - SfStreamError `request_refused`: Salesforce's `errorCode`, message and fields in `server.error`, `server.text`, `server.args`
 */
export interface RestClient {
  /** `path`: below `/services/data/vXX.X/` (`'limits'`), or from the root (`'/services/apexrest/…'`), or a full URL of the instance. */
  get<T = unknown>(path: string, init?: Omit<RestRequest, 'method' | 'body'>): Promise<T>
  /** Sends `body` as JSON. */
  post<T = unknown>(path: string, init?: Omit<RestRequest, 'method'>): Promise<T>
  /** Any method. Answers decoded JSON, other text as it is, and undefined for an empty body. */
  request<T = unknown>(path: string, init?: RestRequest): Promise<T>
  /** The API versions the org serves. */
  versions(options?: CallOptions): Promise<ApiVersion[]>
  /** The org's allocations and what is left of them. */
  limits(options?: CallOptions): Promise<Limits>
  /**
   * Publishes a platform event: `publish('Order__e', { Amount__c: 7 })`, or by channel, `'/event/Order__e'`. Resolves when it is queued.
   * @throws StateError `bad_channel`
   */
  publish(event: string, fields: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<PublishResult>
  /**
   * Pushes up to 3,000 characters to a generic channel such as `/u/Notifications`: to everybody, or to `userIds` only.
   * @throws StateError `bad_channel`; SfStreamError `request_too_large`
   */
  push(channel: string, payload: string, userIds?: readonly string[], options?: CallOptions): Promise<PushResult>
}

/**
 * @throws AuthenticationError `missing_credential`; HandshakeError `bad_api_version`; StateError `bad_option`
 */
export function createRestClient(options: RestClientOptions): RestClient {
  const given = Object(options) as RestClientOptions
  onlyKnown('createRestClient()', given, ['auth', 'apiVersion', 'platform'])
  const { auth, apiVersion = '66.0', platform } = given
  const calls = caller({ auth, apiVersion, platform: webPlatform(platform) })
  const ids = channelIds(calls)
  const request = async <T>(path: string, init: RestRequest = {}): Promise<T> => {
    if (typeof path !== 'string') throw badOption(`The path is ${kindOf(path)}`, "Pass one, such as 'limits'.")
    onlyKnown('A request', init, ['method', 'query', 'body', 'headers', 'timeoutMs', 'signal'])
    return calls.call(path, init) as Promise<T>
  }

  return {
    request,
    get: (path, init) => request(path, { ...init, method: 'GET' }),
    post: (path, init) => request(path, { ...init, method: 'POST' }),
    versions: ({ signal = new AbortController().signal } = {}) => calls.versions(signal),
    limits: async (init = {}) => {
      const body = await calls.call('limits', init)
      const reply = v.safeParse(limitList, body)
      if (!reply.success || Array.isArray(body)) throw badReply('GET limits', 'no list of limits')
      return reply.output
    },
    publish: (event, fields, { signal } = {}) => publishEvent(calls, event, fields, signal),
    push: (channel, payload, userIds = [], { signal } = {}) => pushEvent(calls, ids, { channel, payload, userIds, signal }),
  }
}
