// Values

// Types
export type { ApiVersion, Limit, Limits, PublishResult, PushResult } from './replies.ts'
export type { CallOptions, RestClient, RestClientOptions } from './rest-client.ts'
export { createRestClient } from './rest-client.ts'
export type { RestRequest } from './rest-request.ts'
export type { Auth } from './session-source.ts'
