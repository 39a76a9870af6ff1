import { describe, expect, it } from 'vitest'
import { type FaultKind, messageFault, statusFault, transientFault } from '../../src/bayeux/wire/fault.ts'
import { SfStreamError, TransportError } from '../../src/index.ts'

/** Every text of the catalogue: the request it comes on, `error`, `failureReason` where there is one, what it is, and the code it gets. */
const catalogue: readonly (readonly [request: string, error: string, reason: string | undefined, kind: FaultKind, code: string])[] = [
  // Exact samples of real orgs.
  ['connect', '401::Authentication invalid', undefined, 'auth', 'token_refused'],
  ['handshake', '403::Handshake denied', '401::Authentication invalid', 'auth', 'token_refused'],
  ['handshake', '403::Handshake denied', '401::Request requires authentication', 'auth', 'token_refused'],
  ['connect', '403::Unknown client', undefined, 'unknown-client', 'session_lost'],
  ['connect', '402::Unknown client', undefined, 'unknown-client', 'session_lost'],
  ['connect', '402:client1:Unknown client', undefined, 'unknown-client', 'session_lost'],
  ['connect', '402::session_unknown', undefined, 'unknown-client', 'session_lost'],
  // A text that says both is about the session: a new token would not help.
  ['connect', '401::Unknown client', undefined, 'unknown-client', 'session_lost'],
  ['subscribe', '403::Client has not completed handshake', undefined, 'unknown-client', 'session_lost'],
  ['handshake', '403::Handshake denied', '403::Organization concurrent user limit exceeded', 'client-limit', 'client_limit'],
  [
    'handshake',
    '403::Handshake denied',
    '403::To protect all customers from excessive use and Denial of Service attacks, we limit the number of simultaneous connections per server.',
    'busy',
    'server_busy',
  ],
  // The numbers lie: a busy server says 401.
  ['connect', '401::Authentication invalid', '503::Server is too busy.  Please try your request again later.', 'busy', 'server_busy'],
  [
    'subscribe',
    '403:denied_by_security_policy:subscribe_denied',
    '503::Server is too busy. Please try your request again later.',
    'busy',
    'server_busy',
  ],
  ['subscribe', '403:denied_by_security_policy:subscribe_denied', 'SERVER_UNAVAILABLE: later', 'busy', 'server_busy'],
  [
    'subscribe',
    '400::The replayId {1} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.',
    undefined,
    'replay',
    'replay_refused',
  ],
  ['subscribe', '400::The replayId {1} you provided was invalid. Please provide a valid ID', undefined, 'replay', 'replay_refused'],
  [
    'subscribe',
    "400::The replayId for channel {/topic/X} wasn't found using the provided replay ID map {{}}. Ensure that the channel name is right.",
    undefined,
    'replay',
    'replay_refused',
  ],
  ['subscribe', '403::Organization total events daily limit exceeded', undefined, 'event-limit', 'event_limit'],
  ['connect', '403::Organization total events daily limit exceeded', undefined, 'event-limit', 'event_limit'],
  ['subscribe', '403::Subscription limit exceeded for this topic', undefined, 'event-limit', 'event_limit'],
  // The catalogue's other texts.
  ['handshake', "400::API version in the URI is mandatory. URI format: '/cometd/66.0'", undefined, 'config', 'bad_api_version'],
  [
    'handshake',
    '403::Handshake denied',
    "400::Unsupported API version. Only API versions '37.0' and later are supported. URI format: '/cometd/66.0'",
    'config',
    'bad_api_version',
  ],
  ['handshake', '400::Invalid connection type websocket', undefined, 'config', 'bad_api_version'],
  ['connect', '400::Invalid connection type websocket', undefined, 'config', 'server_stopped'],
  ['subscribe', "400::The channel you requested to subscribe to doesn't exist {/event/X__e}", undefined, 'refused', 'subscribe_refused'],
  ['subscribe', '400::The channel you requested to subscribe to doesn’t exist {/event/X__e}', undefined, 'refused', 'subscribe_refused'],
  ['subscribe', '400::The channel specified is not valid', undefined, 'refused', 'subscribe_refused'],
  ['subscribe', '400::Channel name not specified', undefined, 'refused', 'subscribe_refused'],
  ['subscribe', "400::Channel subscriptions must start with a leading '/'", undefined, 'refused', 'subscribe_refused'],
  ['subscribe', '400::Query fields {Foo} do not exist on the topic entity', undefined, 'refused', 'subscribe_refused'],
  ['connect', '400::Client abc has established a session, but no BAYEUX_BROWSER cookie present', undefined, 'cookie', 'session_lost'],
  ['connect', "400::Authenticated user id does not match the session's user id", undefined, 'other-user', 'session_lost'],
  ['subscribe', '403::Cannot create channel {/topic/X}', undefined, 'refused', 'subscribe_refused'],
  ['subscribe', '403:denied_by_security_policy:create_denied', undefined, 'refused', 'subscribe_refused'],
  ['subscribe', '403:denied_by_security_policy:create_denied', '401::Authentication invalid', 'auth', 'token_refused'],
  ['subscribe', '403:denied_by_security_policy:subscribe_denied', undefined, 'refused', 'subscribe_refused'],
  ['subscribe', '403::Subscriber does not have access to the entity in this topic', undefined, 'refused', 'subscribe_refused'],
  ['subscribe', '403::Restricted channel', undefined, 'refused', 'subscribe_refused'],
  ['subscribe', '403::User not enabled for streaming', undefined, 'refused', 'subscribe_refused'],
  [
    'subscribe',
    '403::Unable to create channel dynamically, maximum channel limit has been exceeded',
    undefined,
    'refused',
    'subscribe_refused',
  ],
  ['subscribe', '404::Unknown channel', undefined, 'refused', 'subscribe_refused'],
  ['subscribe', '404::channel names may not vary only by case', undefined, 'refused', 'subscribe_refused'],
  ['handshake', '403::Handshake denied', undefined, 'refused', 'handshake_refused'],
  // Not in the Streaming table: passing, by class.
  ['connect', '412::what', undefined, 'busy', 'server_busy'],
  ['subscribe', '500::internal', undefined, 'busy', 'server_busy'],
  ['subscribe', '5000::no code', undefined, 'refused', 'subscribe_refused'],
  ['connect', '503::Server is too busy. Please try your request again later.', undefined, 'busy', 'server_busy'],
  ['send', '403::no publishing', undefined, 'refused', 'request_refused'],
  ['connect', '', undefined, 'refused', 'server_stopped'],
]

describe('messageFault', () => {
  it.each(catalogue)('%s: %s (%s) is %s', (request, error, failureReason, kind, code) => {
    const fault = messageFault(
      {
        channel: `/meta/${request}`,
        successful: false,
        error,
        ...(failureReason ? { ext: { sfdc: { failureReason }, replay: true } } : {}),
      },
      request,
    )
    expect([fault.kind, fault.error.code]).toEqual([kind, code])
    expect(fault.error).toBeInstanceOf(SfStreamError)
    expect(fault.error.remediation).toMatch(/\.$/)
    expect(fault.error.message).toContain(failureReason || error || 'no reason given')
    expect(fault.error.server?.failureReason).toBe(failureReason)
  })

  it('a failureReason that nobody knows leaves the verdict to the error', () => {
    const ext = { sfdc: { failureReason: '499::no idea' } }
    expect(messageFault({ error: '403::Unknown client', ext }, 'connect').kind).toBe('unknown-client')
    expect(messageFault({ error: '403::Unknown client', ext: { sfdc: { failureReason: null } } }, 'connect').kind).toBe('unknown-client')
    expect(messageFault({ error: '403::Unknown client', ext: { sfdc: null } }, 'connect').kind).toBe('unknown-client')
  })

  it('of a text without end its beginning counts', { timeout: 1_000 }, () => {
    const endless = 'replayId '.repeat(1_000_000)
    for (const message of [{ error: `403::${endless}` }, { error: '', ext: { sfdc: { failureReason: endless } } }]) {
      const { error } = messageFault(message, 'subscribe')
      expect(error.message.length).toBeLessThan(1_100)
      expect(JSON.stringify(error.server).length).toBeLessThan(1_100)
    }
  })

  it.each(['403::no token 00D000000000001!AQ.x_y', '403:Bearer abc,x:no', '00D000000000001AAA%21AQ'])(
    'a token echoed in %j is left out',
    (error) => {
      for (const message of [{ error }, { ext: { sfdc: { failureReason: error } } }, { subscription: error }]) {
        const { message: text, server, channel } = messageFault(message, 'connect').error
        expect(text + channel + JSON.stringify(server)).not.toMatch(/AQ|abc/)
      }
    },
  )

  it('a refusal without any text says so', () => {
    for (const message of [{ successful: false }, { successful: false, error: '' }]) {
      expect(messageFault(message, 'connect')).toMatchObject({
        kind: 'refused',
        error: { message: 'The org refused the connect: no reason given', server: { text: '' } },
      })
    }
  })

  it('a refused subscription names its channel, unless it is a list', () => {
    expect(messageFault({ error: '403::x', subscription: '/topic/Foo' }, 'subscribe').error).toMatchObject({
      channel: '/topic/Foo',
      message: 'The org refused the subscribe of /topic/Foo: 403::x',
    })
    expect(messageFault({ error: '403::x', subscription: ['/topic/Foo'] }, 'subscribe').error.channel).toBeUndefined()
  })

  it('what may pass by itself is marked retryable', () => {
    const retryable = (error: string): boolean => messageFault({ error }, 'connect').error.retryable
    expect(['403::Unknown client', '503::Server is too busy', '403::Organization concurrent user limit exceeded'].map(retryable)).toEqual([
      true,
      true,
      true,
    ])
    expect(['401::Authentication invalid', '403::x', '400::API version in the URI'].map(retryable)).toEqual([false, false, false])
  })
})

describe('statusFault', () => {
  it.each<[number, FaultKind, string]>([
    [0, 'moved', 'redirected'],
    [301, 'moved', 'redirected'],
    [302, 'moved', 'redirected'],
    [399, 'moved', 'redirected'],
    [400, 'config', 'http_status'],
    [401, 'auth', 'token_refused'],
    [403, 'forbidden', 'http_status'],
    [404, 'moved', 'http_status'],
    [405, 'config', 'http_status'],
    [408, 'transient', 'http_status'],
    [413, 'config', 'request_too_large'],
    [414, 'config', 'http_status'],
    [429, 'transient', 'http_status'],
    [499, 'transient', 'http_status'],
    [500, 'transient', 'http_status'],
    [502, 'transient', 'http_status'],
    [503, 'transient', 'http_status'],
    [504, 'transient', 'http_status'],
    [520, 'transient', 'http_status'],
    [524, 'transient', 'http_status'],
  ])('HTTP %i is %s', (status, kind, code) => {
    const fault = statusFault(status, 'connect')
    expect([fault.kind, fault.error.code, fault.error.server?.status]).toEqual([kind, code, status])
    expect(fault.error.retryable).toBe(kind === 'transient')
  })
})

it('transientFault keeps the error', () => {
  const error = new TransportError({ code: 'network', message: 'It broke.', remediation: 'Mend it.' })
  expect(transientFault(error)).toEqual({ kind: 'transient', error })
})
