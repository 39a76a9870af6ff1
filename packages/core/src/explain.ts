import type { ErrorCode } from './errors.ts'

/** The longer story behind a code: what usually causes it, and what to do in turn. Kept out of the main entry, and so out of bundles. */
export function explain(code: ErrorCode): string {
  return explanations[code]
}

const explanations: Record<ErrorCode, string> = {
  bad_channel:
    'Channels begin with a slash and are case-sensitive: /event/Order__e (platform event), /data/AccountChangeEvent and /data/ChangeEvents (change data capture), /data/Employee__ChangeEvent for the custom object Employee__c, /topic/Name (PushTopic), /u/Name (generic), and …__chn for custom channels.',
  bad_option: 'An option has a value that cannot work, or is no option at all; the message names it. Nothing was sent.',
  bad_replay:
    "A position is 'stored', 'new', 'all', 'off', or a replay id taken from an event. Ids are opaque: never add to them, and keep those of 16 digits and more as text.",
  bad_api_version:
    'Durable replay begins with API version 37.0; events carry an EventUuid from 52.0 on. Leave the option out for the version this release was tested with.',
  bad_instance_url:
    'Lightning (….lightning.force.com) and Setup pages serve no API. The instance URL comes with the token; by hand, use the My Domain URL: https://acme.my.salesforce.com, or https://acme--box.sandbox.my.salesforce.com for a sandbox.',
  bad_login_url:
    'Client credentials work on the My Domain host only; login.salesforce.com and test.salesforce.com refuse them. The other flows take any of the three.',
  missing_credential: 'A field that the flow needs is empty, often an environment variable that is not set where the program runs.',
  jwt_access_token:
    'The connected app issues JWT-based access tokens; Salesforce takes those for REST only, never for streaming. Turn the setting off for the app, and log in again.',
  already_consumed:
    'A subscription has one consumer, because two loops would each get half. Subscribe to the channel again (it shares the wire subscription), or use process() with a concurrency.',
  channel_in_use:
    'One wire subscription serves a channel per client, so a second subscription can join at new events only. For another position use another client.',
  reserved_channel: 'Handshake, connect and disconnect belong to the client; send() is for messages of your own.',
  not_started: 'There is no session to send with. Subscribe, or await client.start(), first.',
  client_stopped: 'The client or the subscription was closed while something waited for it. start() makes a new session.',
  authorization_needed:
    'The flow acts for a user who has to agree first, and nobody has, or what they granted has ended. Send the user to the URL of authorize() and pass the callback to exchange(); with deviceFlow(), have the code entered in time; with sfCli(), run sf org login web. Then start the client again.',
  bad_callback:
    'The callback of an authorization belongs to the URL that authorize() gave: its state must come back unchanged. A page that was left forgets it, so keep what authorize() gave in sessionStorage. A state that nobody asked for may be an attempt to log the user in as somebody else.',
  login_refused:
    'Salesforce refused the credentials; server.error and server.text are its own words. invalid_grant with "authentication failure" is a wrong user, password or security token, an IP restriction, or the username-password flow being disabled for the org.',
  login_unavailable: 'The login host did not answer, or asked for a retry. It is tried again under retry.auth.',
  token_refused:
    'The org refused the token, and a new one too. Usual causes: a session locked to the IP address it was made from (serverless and NAT pools), a user without the API Enabled permission, or a fixed token that has expired and cannot be renewed.',
  handshake_refused: 'The org refused a streaming session; server.failureReason has its reason. The user may lack streaming access.',
  no_common_transport: 'The endpoint is a Bayeux server without long polling. Check that it is an org’s /cometd.',
  session_lost:
    'Salesforce forgets a session when its routing cookie expires (about every three hours), when an app server goes, or when no poll comes for 40 s. It is made anew and resumed by itself unless reconnect is off. If it is lost again at once and cookies are named, something between client and org drops them.',
  subscribe_refused:
    'No such channel, change data capture not enabled for the object, or the user lacks read access. server.text has the org’s own words. Channel names are case-sensitive.',
  replay_refused:
    'The org no longer knows the position: it is older than the retention (72 h, or 24 h for PushTopics and generic events), or the org’s event bus was reset by a migration or sandbox refresh. replayFallback decides how to go on.',
  client_limit:
    'Each org has a number of streaming clients (2,000 down to 20 by edition). A session that never said goodbye holds its place until it expires: always stop() clients, in tests too.',
  event_limit:
    'The events delivered in 24 hours are limited by edition, counted per subscriber. Events wait in the retention; streaming goes on when the window moves.',
  server_busy: 'The org asks clients to come back in a few minutes.',
  request_too_large: 'A request may have 32,768 bytes; a single channel name or message of yours is larger.',
  request_refused: 'Salesforce understood the call and refused it; server has its code and words.',
  network: 'The connection could not be made, or broke. The cause has the runtime’s own reason. Tried again under retry.connect.',
  timeout: 'No bytes came within the deadline. A proxy that buffers or cuts long polls shows up like this.',
  http_status:
    'The endpoint answered with an HTTP error that is no Bayeux message. Check endpoint, apiVersion, IP restrictions and API access.',
  redirected:
    'The endpoint answered with a redirect. It is not followed, because the token would go along. The org may have moved: log in again, or correct the URL.',
  bad_reply: 'What came back is not Bayeux: a login or maintenance page, a proxy’s error page, or a body cut short.',
  message_too_large: 'A single message is over 16 MB. Resume after it with an explicit replay id.',
  server_stopped: 'The server said to stop, with a reason that is not known to be passing, and a new token did not help.',
  invalid_event:
    "The payload does not fit the schema. The event is not committed and comes again; onInvalid: 'skip' or 'raw' goes past it.",
  store_unreadable:
    'The place where positions are kept holds something else, or cannot be read. It was left as it is. Move it away to begin anew.',
  store_failed: 'A position could not be written. Streaming goes on; after a restart, events since the last saved position come again.',
}
