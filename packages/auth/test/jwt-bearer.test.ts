import { generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import { jwtBearer, type PrivateKey } from '@sfstream/auth'
import { compactVerify, decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'
import { type Host, keys } from './flows.ts'
import { context, failure, scriptedPlatform, tokenReply } from './scripted-platform.ts'

const login = { clientId: '3MVG9', username: 'amy@acme.com' }

async function claims(assertion: string | undefined): Promise<Record<string, unknown>> {
  const { payload } = await compactVerify(assertion ?? '', keys.publicKey)
  return JSON.parse(new TextDecoder().decode(payload))
}

const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
const cryptoKey = await crypto.subtle.importKey('jwk', keys.jwk, rsa, false, ['sign'])

test.each<[string, PrivateKey]>([
  ['PKCS#8', keys.pkcs8],
  ['PKCS#8 from an environment variable', keys.pkcs8.replaceAll('\n', '\\n')],
  ['PKCS#1', keys.pkcs1],
  ['a JWK', keys.jwk],
  ['a CryptoKey', cryptoKey],
])('P10 signs RS256 with %s', async (_, privateKey) => {
  const scripted = scriptedPlatform(tokenReply('t1'))
  await jwtBearer({ ...login, privateKey }).getSession(context(scripted))
  const form = scripted.seen[0]?.form
  expect(Object.keys(form ?? {})).toEqual(['grant_type', 'assertion'])
  expect(decodeProtectedHeader(form?.assertion ?? '')).toEqual({ alg: 'RS256' })
  expect(await claims(form?.assertion)).toEqual({
    iss: '3MVG9',
    sub: 'amy@acme.com',
    aud: 'https://login.salesforce.com',
    exp: scripted.platform.now() / 1000 + 180,
  })
})

test("P10 every attempt signs anew, by the platform's clock", async () => {
  const scripted = scriptedPlatform(tokenReply('t1'), tokenReply('t2'))
  const auth = jwtBearer({ ...login, privateKey: keys.pkcs8 })
  const rejected = await auth.getSession(context(scripted))
  scripted.elapse(7_200_500)
  await auth.getSession({ ...context(scripted), rejected })
  const [first, second] = await Promise.all(scripted.seen.map((request) => claims(request.form.assertion)))
  expect(Number(second?.exp) - Number(first?.exp)).toBe(7_200)
})

test.each<[Host & { audience?: string }, string]>([
  [{}, 'https://login.salesforce.com'],
  [{ sandbox: true }, 'https://test.salesforce.com'],
  [{ loginUrl: 'https://test.salesforce.com' }, 'https://test.salesforce.com'],
  [{ loginUrl: 'https://acme.my.salesforce.com' }, 'https://login.salesforce.com'],
  [{ loginUrl: 'https://acme-dev-ed.develop.my.salesforce.com' }, 'https://login.salesforce.com'],
  [{ loginUrl: 'https://acme--uat.sandbox.my.salesforce.com' }, 'https://test.salesforce.com'],
  [{ loginUrl: 'https://acme--uat.my.salesforce.com' }, 'https://test.salesforce.com'],
  [{ loginUrl: 'https://power-fun-1.scratch.my.salesforce.com' }, 'https://test.salesforce.com'],
  [{ loginUrl: 'https://acme.my.site.com/partners' }, 'https://acme.my.site.com/partners'],
  [{ loginUrl: 'http://127.0.0.1:8080' }, 'https://login.salesforce.com'],
  [{ loginUrl: 'https://acme.my.salesforce.com', audience: 'https://gov.example' }, 'https://gov.example'],
])('P10 the audience for %o is %s', async (host, aud) => {
  const scripted = scriptedPlatform(tokenReply('t1'))
  await jwtBearer({ ...login, privateKey: keys.pkcs8, ...host }).getSession(context(scripted))
  expect((await claims(scripted.seen[0]?.form.assertion)).aud).toBe(aud)
})

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const bad: [string, PrivateKey][] = [
  ['damaged PEM', keys.pkcs8.replace('MII', 'AAA')],
  ['PEM that is no base64', '-----BEGIN RSA PRIVATE KEY-----\n???\n-----END RSA PRIVATE KEY-----'],
  ['an EC key in PKCS#8', ec.export({ type: 'pkcs8', format: 'pem' }) as string],
  ['an EC JWK', ec.export({ format: 'jwk' }) as Record<string, unknown>],
  ['a symmetric JWK', { kty: 'oct', k: 'c2VjcmV0c2VjcmV0' }],
  [
    'a public CryptoKey',
    await crypto.subtle.importKey('jwk', { kty: 'RSA', n: keys.jwk.n as string, e: keys.jwk.e as string }, rsa, true, ['verify']),
  ],
]

test.each(bad)('a key that cannot sign is told so before any request: %s', async (_, privateKey) => {
  const scripted = scriptedPlatform(tokenReply('t1'))
  const error = await failure(jwtBearer({ ...login, privateKey }).getSession(context(scripted)))
  expect(error).toMatchObject({ name: 'AuthenticationError', code: 'bad_option', retryable: false })
  expect(inspect(error, { showHidden: true, depth: null })).not.toMatch(/BEGIN|AAA|c2Vj/)
  expect(scripted.seen).toHaveLength(0)
})
