import type { AuthProvider } from '@sfstream/core'
import { listen, onBench, takeNumbers } from '../bench.ts'
import { equal, failure, ok } from '../expectations.ts'
import type { Harness } from '../harness.ts'

type Credentials = Awaited<ReturnType<Harness['org']['credentials']>>

/** Every login of the auth package, over HTTP. */
export function loginCases(harness: Harness): void {
  const { adapter, org, test } = harness
  const flows: Record<string, (loginUrl: string, has: Credentials) => Promise<AuthProvider> | AuthProvider> = {
    accessToken: async () => adapter.accessToken(await org.session()),
    clientCredentials: (loginUrl, { clientId, clientSecret }) => adapter.clientCredentials({ loginUrl, clientId, clientSecret }),
    password: (loginUrl, { clientId, clientSecret, username, password, securityToken }) =>
      adapter.password({ loginUrl, clientId, clientSecret, username, password, securityToken }),
    refreshToken: (loginUrl, { clientId, clientSecret, refreshToken }) =>
      adapter.refreshToken({ loginUrl, clientId, clientSecret, refreshToken }),
    soapLogin: (loginUrl, { username, password, securityToken }) => adapter.soapLogin({ loginUrl, username, password, securityToken }),
    jwtBearer: async (loginUrl, { clientId, username }) =>
      adapter.jwtBearer({ loginUrl, clientId, username, privateKey: await org.jwtKey() }),
  }
  const redirectUri = 'https://app.example/callback'
  for (const [name, flow] of Object.entries(flows)) {
    test(
      'logins',
      name,
      onBench(harness, async ({ client, orders }) => {
        const { instanceUrl } = await org.session()
        const auth = await flow(instanceUrl, await org.credentials())
        const iterator = await listen(await client({ auth }))
        await orders(1, 1)
        equal(await takeNumbers(iterator, 1), [1])
      }),
    )
  }
  test(
    'logins',
    'authorizationCode: the URL, the callback in another page, a session, and a refresh by itself',
    onBench(harness, async ({ client, orders }) => {
      const { instanceUrl: loginUrl } = await org.session()
      const { clientId, clientSecret } = await org.credentials()
      const stored: string[] = []
      const options = { loginUrl, clientId, clientSecret, redirectUri, onRotate: (token: string) => stored.push(token) }
      const pending = await adapter.authorizationCode(options).authorize()
      const callback = await org.agree(pending.url)
      const auth = adapter.authorizationCode(options)
      equal((await failure((await client({ auth })).start())).code, 'authorization_needed')
      equal((await failure(auth.exchange(callback.replace('state=', 'state=x'), { pending }))).code, 'bad_callback')
      const session = await auth.exchange(callback, { pending })
      equal(session.instanceUrl, loginUrl)
      equal(stored.length, 1)
      await org.revokeTokens()
      const iterator = await listen(await client({ auth }))
      await orders(1, 1)
      equal(await takeNumbers(iterator, 1), [1])
    }),
  )
  test(
    'logins',
    'deviceFlow: the code is shown, the user agrees elsewhere, and the stream begins',
    onBench(harness, async ({ client, orders }) => {
      await org.reset({ switches: { deviceIntervalMs: 1_000 } })
      const { instanceUrl: loginUrl } = await org.session()
      const { clientId } = await org.credentials()
      const shown: string[] = []
      const onCode = (userCode: string, verificationUri: string): Promise<void> => {
        shown.push(verificationUri)
        return org.answerDevice(userCode, true)
      }
      const iterator = await listen(await client({ auth: adapter.deviceFlow({ loginUrl, clientId, onCode }) }))
      await orders(1, 1)
      equal(await takeNumbers(iterator, 1), [1])
      equal(shown.length, 1)
      ok(shown[0]?.endsWith('/setup/connect'), `the URL to open, not ${shown}`)
    }),
  )
  test(
    'logins',
    'a refused login keeps the words of Salesforce and no secret',
    onBench(harness, async ({ client }) => {
      const { instanceUrl } = await org.session()
      const { clientId } = await org.credentials()
      const auth = adapter.clientCredentials({ loginUrl: instanceUrl, clientId, clientSecret: 'not-the-secret' })
      const error = await failure((await client({ auth })).start())
      ok(error instanceof adapter.AuthenticationError, `an AuthenticationError, not ${error}`)
      equal(error.code, 'login_refused')
      ok(!`${error.stack}${JSON.stringify(error)}`.includes('not-the-secret'), 'the secret is in none of it')
    }),
  )
}
