import type { OrgSession } from './auth-provider.ts'
import { AuthenticationError } from './errors.ts'
import { required } from './required.ts'
import { trustedUrl } from './trusted-url.ts'

/**
 * Holds a token against what the streaming endpoint accepts, before it is sent anywhere. `from` says where it came from;
 * `jwt`: whether it may be one, which REST accepts.
 * @throws AuthenticationError `missing_credential`, `jwt_access_token`, `bad_option` (not a header value), `bad_instance_url`
 */
export function checkedSession(session: OrgSession, from: string, jwt = false): OrgSession {
  required(from, { accessToken: session?.accessToken, instanceUrl: session?.instanceUrl })
  const { accessToken } = session
  // Salesforce: JWT-based access tokens serve REST only; a CometD handshake with one is a 401.
  if (!jwt && /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/.test(accessToken)) {
    throw new AuthenticationError({
      code: 'jwt_access_token',
      message: `${from}: the access token is a JWT, which the streaming endpoint refuses.`,
      remediation: 'Turn off "Issue JSON Web Token (JWT)-based access tokens" for the connected app.',
    })
  }
  // A header with any other character is refused by fetch, with the token in its message.
  if (!/^[\x21-\x7e]+$/.test(accessToken)) {
    throw new AuthenticationError({
      code: 'bad_option',
      message: `${from}: the access token contains spaces or characters that no token has.`,
      remediation: 'Pass the bare token: no "Bearer ", no quotes, no line end.',
    })
  }
  return { accessToken, instanceUrl: trustedUrl(session.instanceUrl, `${from}: instanceUrl`).origin }
}
