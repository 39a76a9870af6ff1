import { accessToken, clientCredentials, jwtBearer, password, refreshToken, soapLogin } from '@sfstream/auth'
import type { AuthProvider, Platform } from '@sfstream/core'
import { webPlatform } from '@sfstream/core/internal'
import { createMockOrg, type MockOrg } from '@sfstream/mock-org'
import { expect, test } from 'vitest'
import type { Host } from './flows.ts'
import { failure } from './scripted-platform.ts'

interface Flow {
  name: string
  make: (org: MockOrg, host: Host) => AuthProvider | Promise<AuthProvider>
  /** The same with a wrong credential, and what Salesforce says to it. */
  wrong: (org: MockOrg, host: Host) => AuthProvider | Promise<AuthProvider>
  says: string
}

const named = (org: MockOrg): { clientId: string; clientSecret: string; username: string; password: string; securityToken: string } => {
  const { clientId, clientSecret, username, password, securityToken } = org.credentials
  return { clientId, clientSecret, username, password, securityToken }
}

const flows: Flow[] = [
  {
    name: 'password',
    make: (org, host) => password({ ...named(org), ...host }),
    wrong: (org, host) => password({ ...named(org), password: 'wrong', ...host }),
    says: 'authentication failure',
  },
  {
    name: 'refreshToken',
    make: (org, host) => refreshToken({ ...named(org), refreshToken: org.credentials.refreshToken, ...host }),
    wrong: (org, host) => refreshToken({ ...named(org), refreshToken: 'revoked', ...host }),
    says: 'expired access/refresh token',
  },
  {
    name: 'clientCredentials',
    make: (org) => clientCredentials({ ...named(org), loginUrl: org.url }),
    wrong: (org) => clientCredentials({ ...named(org), clientSecret: 'wrong', loginUrl: org.url }),
    says: 'invalid client credentials',
  },
  {
    name: 'jwtBearer',
    make: async (org, host) => jwtBearer({ ...named(org), privateKey: await org.jwtKey(), ...host }),
    wrong: async (org, host) => {
      const privateKey = await org.jwtKey()
      // The org now holds the public half of another key.
      await org.jwtKey()
      return jwtBearer({ ...named(org), privateKey, ...host })
    },
    says: 'assertion',
  },
  {
    name: 'soapLogin',
    make: (org, host) => soapLogin({ ...named(org), ...host }),
    wrong: (org, host) => soapLogin({ ...named(org), password: 'wrong', ...host }),
    says: 'Invalid username, password, security token; or user locked out.',
  },
]

const hosts: [string, Host][] = [
  ['production', {}],
  ['a sandbox', { sandbox: true }],
  ['My Domain', { loginUrl: 'https://acme.my.salesforce.com' }],
]

const context = (org: MockOrg): { signal: AbortSignal; platform: Platform } => ({
  signal: new AbortController().signal,
  platform: webPlatform({ fetch: (input, init) => org.fetch(input, init) }),
})

/** Asks the org itself whether it takes the token. */
async function works(org: MockOrg, token: string): Promise<boolean> {
  const reply = await org.fetch(`${org.url}/services/data/v66.0/limits`, { headers: { authorization: `Bearer ${token}` } })
  return reply.status === 200
}

for (const flow of flows) {
  test.each(hosts)(`${flow.name} logs in to the simulated org by way of %s`, async (_, host) => {
    const org = createMockOrg()
    const auth = await flow.make(org, host)
    const first = await auth.getSession(context(org))
    expect(first.instanceUrl).toBe(org.url)
    expect(await works(org, first.accessToken)).toBe(true)
    const second = await auth.getSession({ ...context(org), rejected: first })
    expect(second.accessToken).not.toBe(first.accessToken)
    expect(await works(org, second.accessToken)).toBe(true)
  })

  test(`P5 ${flow.name} with a wrong credential is refused in the simulated org's words`, async () => {
    const org = createMockOrg()
    const error = await failure((await flow.wrong(org, {})).getSession(context(org)))
    expect(error).toMatchObject({
      name: 'AuthenticationError',
      code: 'login_refused',
      retryable: false,
      server: { text: expect.stringContaining(flow.says) },
    })
  })
}

test('P12 the simulated org rotates refresh tokens: each new one is stored and used', async () => {
  const org = createMockOrg({ switches: { rotateRefreshTokens: true } })
  const stored: string[] = []
  const auth = refreshToken({ ...named(org), refreshToken: org.credentials.refreshToken, onRotate: (token) => stored.push(token) })
  const first = await auth.getSession(context(org))
  const second = await auth.getSession({ ...context(org), rejected: first })
  expect(await works(org, second.accessToken)).toBe(true)
  expect(new Set(stored).size).toBe(2)
})

test('P11 a token of the simulated org is used as it is', async () => {
  const org = createMockOrg()
  const session = await accessToken(org.session()).getSession(context(org))
  expect(await works(org, session.accessToken)).toBe(true)
})
