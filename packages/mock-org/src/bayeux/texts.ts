/** The refusals as they stand on the wire: facts 3.1 and 3.2. */
export const authenticationInvalid = '401::Authentication invalid'
export const authenticationRequired = '401::Request requires authentication'
export const handshakeDenied = '403::Handshake denied'
export const clientLimit = '403::Organization concurrent user limit exceeded'
export const dailyLimit = '403::Organization total events daily limit exceeded'
export const serverLimit =
  '403::To protect all customers from excessive use and Denial of Service attacks, we limit the number of simultaneous connections per server. Your request has been denied because this limit has been exceeded. Please try your request again later.'
export const serverBusy = '503::Server is too busy.  Please try your request again later.'
export const createDenied = '403:denied_by_security_policy:create_denied'
export const subscribeDenied = '403:denied_by_security_policy:subscribe_denied'
export const restrictedChannel = '403::Restricted channel'
export const tooLarge = '413::Maximum Request Size Exceeded'
export const channelLimit = '403::Unable to create channel dynamically, maximum channel limit has been exceeded'
export const otherUser = "400::Authenticated user id does not match the session's user id"
export const noChannel = '400::Channel name not specified'
export const noSlash = "400::Channel subscriptions must start with a leading '/'"
export const unknownChannel = '404::Unknown channel'
export const channelCase = '404::channel names may not vary only by case'
export const notHandshaken = '403::Client has not completed handshake'
const uriFormat = "URI format: '/cometd/66.0'"
export const versionMissing = `400::API version in the URI is mandatory. ${uriFormat}`
export const versionUnsupported = `400::Unsupported API version. Only API versions '37.0' and later are supported. ${uriFormat}`

export const unknownClient = (code: 402 | 403): string => `${code}::Unknown client`
export const invalidConnectionType = (type: string): string => `400::Invalid connection type ${type}`
export const noCookie = (clientId: string): string =>
  `400::Client ${clientId} has established a session, but no BAYEUX_BROWSER cookie present`
export const noSuchChannel = (channel: string): string => `400::The channel you requested to subscribe to doesn't exist {${channel}}`
export const noSuchFields = (fields: readonly string[]): string =>
  `400::Query fields {${fields.join(', ')}} do not exist on the topic entity`
export const invalidReplay = (id: string, spaces: 1 | 2): string =>
  `400::The replayId {${id}} you provided was invalid.${' '.repeat(spaces)}Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.`
export const replayNotInMap = (channel: string, map: string): string =>
  `400::The replayId for channel {${channel}} wasn't found using the provided replay ID map {${map}}. Ensure that the channel name in the replay ID map matches the channel you subscribe to.`
