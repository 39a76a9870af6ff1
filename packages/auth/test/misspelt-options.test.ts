import { expect, test } from 'vitest'
import { authorizationCode, clientCredentials, deviceFlow, jwtBearer, password, refreshToken, soapLogin } from '../src/index.ts'

const loginUrl = 'https://acme.my.salesforce.com'
const app = { clientId: 'id', clientSecret: 'secret' }
const user = { username: 'robot@acme.com', password: 'word', securityToken: 'token' }
const key = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'
const onRotate = (): void => {}
type Make = (options: never) => unknown

/** Each flow with every option that it has. */
const flows: [string, Make, object][] = [
  ['clientCredentials', clientCredentials, { ...app, loginUrl }],
  ['jwtBearer', jwtBearer, { clientId: 'id', username: 'u', privateKey: key, audience: loginUrl, loginUrl, sandbox: false }],
  ['refreshToken', refreshToken, { ...app, refreshToken: 'r', onRotate, loginUrl, sandbox: false }],
  ['password', password, { ...app, ...user, loginUrl, sandbox: false }],
  ['soapLogin', soapLogin, { ...user, apiVersion: '64.0', loginUrl, sandbox: false }],
  [
    'authorizationCode',
    authorizationCode,
    { ...app, redirectUri: 'https://app.example/callback', scope: 'api', refreshToken: 'r', onRotate, loginUrl, sandbox: false },
  ],
  ['deviceFlow', deviceFlow, { ...app, onCode: () => {}, scope: 'api', refreshToken: 'r', onRotate, loginUrl, sandbox: false }],
]

test.each(flows)('%s takes what it documents, and what is for others', (_, make, options) => {
  expect(() => make({ ...options, whatever: true } as never)).not.toThrow()
})

test.each(flows)(
  '%s: an option in other capitals would do nothing without a word, so it is refused, and its value is not said',
  (name, make, options) => {
    for (const known of Object.keys(options)) {
      const slip = known.toUpperCase()
      expect(() => make({ ...options, [slip]: 'hidden' } as never)).toThrow(
        expect.objectContaining({
          name: 'AuthenticationError',
          code: 'bad_option',
          message: `${name} has no option \`${slip}\`.`,
          remediation: `Spell it \`${known}\`.`,
        }),
      )
    }
  },
)
