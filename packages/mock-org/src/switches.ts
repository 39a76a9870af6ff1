/**
 * What an org may do either way, or what no public source proves. Each can be changed while the org runs
 * (`org.switches.dataOrder = 'after-reply'`); the value given here is the default.
 */
export interface Switches {
  /** How long an idle connect is held. 110,000 ms. */
  holdMs: number
  /** How long after a reply a silent session lives on. 40,000 ms. */
  sessionExpiryMs: number
  /** Life of the load balancer's cookie. 3 hours. */
  affinityMs: number
  /** The load balancer's cookie changes with every reply, and names the same node. false. */
  rotateAffinity: boolean
  /** Application nodes behind the load balancer; a session lives on one. 3. */
  nodes: number
  /** Refuse requests of a session that come without BAYEUX_BROWSER. true. */
  requireBrowserCookie: boolean
  /**
   * Whose cookie BrowserId is. 'salesforce.com', also where the org answers on another host: a jar must then ignore it. Some
   * (Faye's) throw; 'host' spares them, as the real name of an org would.
   */
  browserIdDomain: 'salesforce.com' | 'host'
  /** A new handshake ends the other sessions of the same browser. false. */
  oneSessionPerBrowser: boolean
  /** Another tab of each browser polls all the time, so that no connect is held. false. */
  secondTab: boolean
  /** The interval told to a second client of one browser. 2,000 ms. */
  multipleClientsIntervalMs: number
  /** The most a request may weigh. 32,768 bytes. */
  maxRequestBytes: number
  /** Whether events stand before or after the reply that carries them. 'before-reply'. */
  dataOrder: 'before-reply' | 'after-reply'
  /** Whether events come on connect replies only, or on whatever reply leaves first. 'connect'. */
  dataOn: 'connect' | 'any-reply'
  /** Events in one reply; the rest follow in the next. Unlimited. */
  maxEventsPerReply: number
  /** How long a published event waits for company before it is sent. 0: as soon as the publishing code yields. */
  batchMs: number
  /** Replayed events start this long after the subscription was accepted. 0. */
  replayDelayMs: number
  /** A group of events with one replay id is split over two replies. false. */
  splitEqualIds: boolean
  /** Events are dated up to this long before they are logged (at random). 0. */
  eventDateLagMs: number
  /** Events are kept this long after their retention, as the bus purges late. 0. */
  latePurgeMs: number
  /** A connect's own `advice.timeout` shortens the hold. true: CometD does so. */
  honourClientTimeout: boolean
  /** How a held connect ends when a second one of its session arrives. 'successful'. */
  replacedConnect: 'successful' | 'cut'
  /** How a held connect ends when its session disconnects. 'successful'. */
  disconnectedConnect: 'successful' | 'none-advice' | 'unknown-client'
  /** Spaces after `was invalid.` in the replay refusal. 2. */
  replayTextSpaces: 1 | 2
  /** What replay id 0 means. 'refuse'. */
  replayZero: 'refuse' | 'all'
  /** Whether an id that was never issued, but lies between retained ones, is taken. 'refuse'. */
  unknownReplayId: 'refuse' | 'nearest'
  /** Data of a filtered PushTopic subscription names the channel with its query. false. */
  queryInDataChannel: boolean
  /** Nulled fields of a change event. 'omitted': only `changedFields` names them. */
  nulledFields: 'omitted' | 'null'
  /** Change events have an EventUuid from endpoint 52.0 on, as platform events have. true. */
  changeEventUuid: boolean
  /** Data messages carry a clientId, as old versions did. false. */
  clientIdInData: boolean
  /** The oldest endpoint version taken. 37: today's documentation; older pages say 23, and some tools still send 36. */
  oldestVersion: number
  /** How a missing or unsupported version is refused. 'bayeux'. */
  versionErrors: 'bayeux' | 'http-400'
  /** How a request over `maxRequestBytes` is refused. 'http-413'. */
  sizeErrors: 'http-413' | 'bayeux'
  /** The HTTP status of CometD replies that refuse a token. 200: the refusal stands in the messages alone. */
  authErrorStatus: 200 | 401
  /** A revoked token is noticed on a living session after this long. 0. About 5 minutes were measured. */
  revalidateTokenMs: number
  /** The code of the unknown-client error: 402 before 2015. 403. */
  unknownClientCode: 402 | 403
  /** Unknown-client replies to subscribe and unsubscribe come without channel and id. false. */
  bareUnknownClient: boolean
  /** Sessions are locked to the address the token came from, and the streaming client has another one. false. */
  ipLocked: boolean
  /** Access tokens are JWTs, which the streaming endpoint refuses. false. */
  jwtAccessTokens: boolean
  /** A refresh token works once, and each refresh gives a new one. false. */
  rotateRefreshTokens: boolean
  /** Whether the org takes the password flow. true; orgs made since 2023 block it until told otherwise. */
  passwordFlow: boolean
  /** The HTTP status of `invalid_client` from the token endpoint. 400; 401 was seen for some. */
  invalidClientStatus: 400 | 401
  /** Cross-origin requests to the OAuth endpoints of the instance and the site: answered for no page, for those of `corsOrigins`, for any. 'off'. */
  oauthCors: 'off' | 'listed' | 'any'
  /** The HTTP status of the device flow's pending, slow_down and denied. 400. */
  deviceErrorStatus: number
  /** How often the device flow may ask whether the user has agreed; whole seconds. 5,000. */
  deviceIntervalMs: number
  /** `id` of replies is a number where it can be. false: echoed as sent. */
  numericIds: boolean
  /** Replies of a batch come in reverse. false. */
  reverseReplies: boolean
  /** Over HTTP, bodies are compressed for clients that accept it. false. */
  gzip: boolean
}

export function defaultSwitches(): Switches {
  return {
    holdMs: 110_000,
    sessionExpiryMs: 40_000,
    affinityMs: 10_800_000,
    rotateAffinity: false,
    nodes: 3,
    requireBrowserCookie: true,
    browserIdDomain: 'salesforce.com',
    oneSessionPerBrowser: false,
    secondTab: false,
    multipleClientsIntervalMs: 2_000,
    maxRequestBytes: 32_768,
    dataOrder: 'before-reply',
    dataOn: 'connect',
    maxEventsPerReply: Number.POSITIVE_INFINITY,
    batchMs: 0,
    replayDelayMs: 0,
    splitEqualIds: false,
    eventDateLagMs: 0,
    latePurgeMs: 0,
    honourClientTimeout: true,
    replacedConnect: 'successful',
    disconnectedConnect: 'successful',
    replayTextSpaces: 2,
    replayZero: 'refuse',
    unknownReplayId: 'refuse',
    queryInDataChannel: false,
    nulledFields: 'omitted',
    changeEventUuid: true,
    clientIdInData: false,
    oldestVersion: 37,
    versionErrors: 'bayeux',
    sizeErrors: 'http-413',
    authErrorStatus: 200,
    revalidateTokenMs: 0,
    unknownClientCode: 403,
    bareUnknownClient: false,
    ipLocked: false,
    jwtAccessTokens: false,
    rotateRefreshTokens: false,
    passwordFlow: true,
    invalidClientStatus: 400,
    oauthCors: 'off',
    deviceErrorStatus: 400,
    deviceIntervalMs: 5_000,
    numericIds: false,
    reverseReplies: false,
    gzip: false,
  }
}
