import { soapFaultText } from '../../auth/soap-login.ts'
import { authenticationRequired, handshakeDenied } from '../../bayeux/texts.ts'
import { amidPolls, asEver, type Scenario, thenMeet } from './scenario.ts'

const maintenance = '<html><head><title>Service Unavailable</title></head><body>Down for maintenance</body></html>'

export const logins = {
  S25: {
    title: 'The token is revoked while a connect is held: 401, reconnect none',
    arm: (stage) => amidPolls(stage, () => stage.faults.revokeTokens()),
  },
  S26: {
    title: 'The session is lost and the token with it: 401 inside 403::Handshake denied',
    arm: (stage) => thenMeet(stage, [{ on: 'handshake', kind: 'call', call: () => stage.faults.revokeTokens() }]),
  },
  S27: {
    title: 'The Authorization header got lost: 401::Request requires authentication',
    arm: (stage) =>
      thenMeet(stage, [
        { on: 'handshake', kind: 'fail', error: handshakeDenied, failureReason: authenticationRequired, reconnect: 'none' },
      ]),
  },
  S28: {
    title: 'Access and refresh tokens are revoked: invalid_grant, expired access/refresh token',
    arm: (stage) => amidPolls(stage, () => stage.faults.revokeTokens({ refreshTokensToo: true }), [1]),
  },
  S29: {
    title: 'Refresh tokens rotate: of two refreshes at once the second is refused',
    arm: (stage) => {
      stage.world.switches.rotateRefreshTokens = true
      amidPolls(stage, () => stage.faults.revokeTokens())
    },
  },
  S30: {
    title: 'The org moves: a new instance_url, and replay ids start anew',
    arm: (stage) => amidPolls(stage, () => stage.faults.migrate(), [1]),
  },
  S31: {
    title: 'Access tokens are JWTs, which CometD refuses although REST takes them',
    arm: ({ world }) => {
      world.switches.jwtAccessTokens = true
    },
  },
  S32: {
    title: 'Sessions are locked to another address',
    arm: ({ world }) => {
      world.switches.ipLocked = true
    },
  },
  S33: asEver('Client credentials on a login host: request not supported on this domain'),
  S34: {
    title: 'Device flow: authorization pending, and one slow_down',
    arm: ({ faults }) => {
      const body = JSON.stringify({ error: 'slow_down', error_description: 'polling too quickly' })
      const headers = { 'Content-Type': 'application/json;charset=UTF-8' }
      faults.next({ on: 'token', when: ({ grantType }) => grantType === 'device', after: 1, kind: 'http', status: 400, body, headers })
    },
  },
  S35: {
    title: 'The token endpoint answers two requests with an HTML 503, at first and whenever the token is revoked',
    arm: (stage) => {
      const { faults } = stage
      const down = (): void => void faults.next({ on: 'token', times: 2, kind: 'http', status: 503, body: maintenance })
      down()
      amidPolls(stage, () => {
        down()
        faults.revokeTokens()
      })
    },
  },
  S36: {
    title: 'SOAP login fails: HTTP 500 with a fault',
    arm: ({ faults }) => {
      const body = soapFaultText('INVALID_LOGIN', 'Invalid username, password, security token; or user locked out.')
      faults.next({ on: 'soap', kind: 'http', status: 500, body, headers: { 'Content-Type': 'text/xml;charset=UTF-8' } })
    },
  },
} satisfies Record<string, Scenario>
