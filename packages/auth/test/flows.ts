import { generateKeyPairSync } from 'node:crypto'
import {
  type AuthorizationCodeOptions,
  authorizationCode,
  clientCredentials,
  type DeviceFlowOptions,
  deviceFlow,
  type JwtBearerOptions,
  jwtBearer,
  type PasswordOptions,
  password,
  type RefreshTokenOptions,
  refreshToken,
  type SoapLoginOptions,
  soapLogin,
} from '@sfstream/auth'
import type { AuthProvider } from '@sfstream/core'

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const keys = {
  pkcs8: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  pkcs1: pair.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string,
  encrypted: pair.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }) as string,
  jwk: pair.privateKey.export({ format: 'jwk' }) as Record<string, unknown>,
  publicKey: pair.publicKey,
}

export type Host = { loginUrl?: string | URL; sandbox?: boolean }

interface Login {
  name: string
  make: (host?: Host) => AuthProvider
  /** May show nowhere. */
  secrets: string[]
}

/** One form to the token endpoint each. */
export const flows: (Login & { grant: string })[] = [
  {
    name: 'password',
    grant: 'password',
    secrets: ['p&ss w0rd+1', 'SecTok%3D9', 'client/"secret"='],
    make: (host) =>
      password({
        username: 'amy@acme.com',
        password: 'p&ss w0rd+1',
        securityToken: 'SecTok%3D9',
        clientId: '3MVG9',
        clientSecret: 'client/"secret"=',
        ...host,
      } satisfies PasswordOptions),
  },
  {
    name: 'refreshToken',
    grant: 'refresh_token',
    secrets: ['5Aep861.refresh!tok', 'client/"secret"='],
    make: (host) =>
      refreshToken({
        refreshToken: '5Aep861.refresh!tok',
        clientId: '3MVG9',
        clientSecret: 'client/"secret"=',
        ...host,
      } satisfies RefreshTokenOptions),
  },
  {
    name: 'clientCredentials',
    grant: 'client_credentials',
    secrets: ['client/"secret"='],
    make: (host) =>
      clientCredentials({ loginUrl: 'https://acme.my.salesforce.com', clientId: '3MVG9', clientSecret: 'client/"secret"=', ...host }),
  },
  {
    name: 'jwtBearer',
    grant: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    secrets: [],
    make: (host) => jwtBearer({ clientId: '3MVG9', username: 'amy@acme.com', privateKey: keys.pkcs8, ...host } satisfies JwtBearerOptions),
  },
]

/** Flows that begin with a user, who has agreed before: a stored refresh token stands in for them. */
export const granted: (Login & { grant: string })[] = [
  {
    name: 'authorizationCode',
    grant: 'refresh_token',
    secrets: ['5Aep861.refresh!tok', 'client/"secret"='],
    make: (host) =>
      authorizationCode({
        clientId: '3MVG9',
        clientSecret: 'client/"secret"=',
        redirectUri: 'https://app.example/callback',
        refreshToken: '5Aep861.refresh!tok',
        ...host,
      } satisfies AuthorizationCodeOptions),
  },
  {
    name: 'deviceFlow',
    grant: 'refresh_token',
    secrets: ['5Aep861.refresh!tok'],
    make: (host) =>
      deviceFlow({
        clientId: '3MVG9',
        onCode: () => {
          throw new Error('nobody is there')
        },
        refreshToken: '5Aep861.refresh!tok',
        ...host,
      } satisfies DeviceFlowOptions),
  },
]

/** All of them. */
export const logins: Login[] = [
  ...flows,
  ...granted,
  {
    name: 'soapLogin',
    secrets: ['p&ss <w0rd>', 'SecTok"9'],
    make: (host) =>
      soapLogin({ username: 'amy@acme.com', password: 'p&ss <w0rd>', securityToken: 'SecTok"9', ...host } satisfies SoapLoginOptions),
  },
]
