export {
  accessToken,
  authorizationCode,
  clientCredentials,
  deviceFlow,
  jwtBearer,
  password,
  refreshToken,
  soapLogin,
} from '@sfstream/auth'
export {
  AuthenticationError,
  createClient,
  HandshakeError,
  LimitError,
  memoryReplayStore,
  ProtocolError,
  ReplayError,
  SfStreamError,
  StateError,
  SubscribeError,
  TransportError,
} from '@sfstream/core'
