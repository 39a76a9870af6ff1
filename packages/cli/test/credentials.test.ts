import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { webPlatform } from '@sfstream/core/internal'
import { describe, expect, it } from 'vitest'
import { type CredentialFlags, credentials, type Environment } from '../src/credentials.ts'
import { UsageError } from '../src/usage-error.ts'

const base = { SF_CLIENT_ID: 'id', SF_CLIENT_SECRET: 's3cr3t', SF_LOGIN_URL: 'https://acme.my.salesforce.com' }
const token = '00Dxx0000001gER!AQcAQH'

/** What the provider asks for first, and where. */
async function request(env: Environment, flags: CredentialFlags = {}): Promise<{ host: string; form: Record<string, string> }> {
  let seen: { host: string; form: Record<string, string> } | undefined
  const platform = webPlatform({
    fetch: async (input, init) => {
      seen = { host: new URL(input).host, form: Object.fromEntries(new URLSearchParams(String(init?.body))) }
      return Response.json({ access_token: token, instance_url: 'https://acme.my.salesforce.com', token_type: 'Bearer' })
    },
  })
  await credentials(env, flags).getSession({ signal: new AbortController().signal, platform })
  if (!seen) throw new Error('nothing was asked for')
  return seen
}

const refused = (env: Environment, flags: CredentialFlags = {}): UsageError => {
  try {
    credentials(env, flags)
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError)
    return error as UsageError
  }
  throw new Error('accepted')
}

describe('credentials from the environment', () => {
  it('a token is used as it is', async () => {
    const env = { ...base, SF_ACCESS_TOKEN: token, SF_INSTANCE_URL: 'https://a.my.salesforce.com' }
    const session = (flags: CredentialFlags) =>
      credentials(env, flags).getSession({ signal: new AbortController().signal, platform: webPlatform() })
    expect(await session({})).toMatchObject({ accessToken: token, instanceUrl: 'https://a.my.salesforce.com' })
    expect(await session({ instanceUrl: 'https://b.my.salesforce.com' })).toMatchObject({ instanceUrl: 'https://b.my.salesforce.com' })
  })

  it.each([
    ['client credentials', base, { grant_type: 'client_credentials', client_id: 'id', client_secret: 's3cr3t' }],
    [
      'password',
      { ...base, SF_USERNAME: 'u', SF_PASSWORD: ' p ', SF_SECURITY_TOKEN: 't' },
      { grant_type: 'password', username: 'u', password: ' p t' },
    ],
    ['refresh token', { ...base, SF_REFRESH_TOKEN: 'r' }, { grant_type: 'refresh_token', refresh_token: 'r', client_secret: 's3cr3t' }],
    [
      'refresh token of a public app',
      { ...base, SF_CLIENT_SECRET: '', SF_REFRESH_TOKEN: 'r' },
      { grant_type: 'refresh_token', refresh_token: 'r' },
    ],
  ])('%s', async (_, env, form) => {
    const asked = await request(env)
    expect(asked.host).toBe('acme.my.salesforce.com')
    expect(asked.form).toMatchObject(form)
  })

  it('a private key, in a file or in a variable, signs an assertion', async () => {
    const pair = await crypto.subtle.generateKey(
      { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
      true,
      ['sign', 'verify'],
    )
    const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', pair.privateKey)).toString('base64')
    const pem = `-----BEGIN PRIVATE KEY-----\n${der.replace(/(.{64})/g, '$1\n')}\n-----END PRIVATE KEY-----\n`
    const folder = await mkdtemp(join(tmpdir(), 'sfstream-key-'))
    try {
      const file = join(folder, 'key.pem')
      writeFileSync(file, pem)
      for (const key of [{ SF_PRIVATE_KEY_FILE: file }, { SF_PRIVATE_KEY: pem }, { SF_PRIVATE_KEY: pem.replaceAll('\n', '\\n') }]) {
        const asked = await request({ SF_CLIENT_ID: 'id', SF_USERNAME: 'u', SF_LOGIN_URL: base.SF_LOGIN_URL, ...key })
        expect(asked.form.grant_type).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer')
        const claims = JSON.parse(Buffer.from(asked.form.assertion!.split('.')[1]!, 'base64url').toString()) as object
        expect(claims).toMatchObject({ iss: 'id', sub: 'u' })
      }
      expect(refused({ SF_CLIENT_ID: 'id', SF_USERNAME: 'u', SF_PRIVATE_KEY_FILE: join(folder, 'none.pem') }).message).toContain('none.pem')
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it.each([
    ['--login-url goes first', { loginUrl: 'https://other.my.salesforce.com' }, 'other.my.salesforce.com'],
    ['--sandbox goes before SF_LOGIN_URL', { sandbox: true }, 'test.salesforce.com'],
    ['SF_LOGIN_URL', {}, 'acme.my.salesforce.com'],
  ])('host: %s', async (_, flags, host) => {
    expect((await request({ ...base, SF_REFRESH_TOKEN: 'r' }, flags)).host).toBe(host)
  })

  it('host: login.salesforce.com where nothing says otherwise, My Domain for client credentials', async () => {
    expect((await request({ SF_CLIENT_ID: 'id', SF_REFRESH_TOKEN: 'r' })).host).toBe('login.salesforce.com')
    const { SF_LOGIN_URL: _, ...rest } = base
    expect((await request({ ...rest, SF_INSTANCE_URL: 'https://inst.my.salesforce.com' })).host).toBe('inst.my.salesforce.com')
  })

  it('none at all: every way is listed', () => {
    const { remediation } = refused({ SF_ACCESS_TOKEN: '  ' })
    for (const name of [
      'SF_ACCESS_TOKEN',
      'SF_INSTANCE_URL',
      'SF_CLIENT_ID',
      'SF_CLIENT_SECRET',
      'SF_LOGIN_URL',
      'SF_USERNAME',
      'SF_PASSWORD',
      'SF_SECURITY_TOKEN',
      'SF_REFRESH_TOKEN',
      'SF_PRIVATE_KEY',
      'SF_PRIVATE_KEY_FILE',
    ])
      expect(remediation).toContain(name)
  })

  it.each([
    [{ SF_ACCESS_TOKEN: token }, 'SF_INSTANCE_URL'],
    [{ SF_CLIENT_ID: 'id' }, 'SF_CLIENT_SECRET'],
    [{ SF_CLIENT_SECRET: 's3cr3t' }, 'SF_CLIENT_ID'],
    [{ SF_CLIENT_ID: 'id', SF_CLIENT_SECRET: 's3cr3t' }, 'SF_LOGIN_URL'],
    [{ ...base, SF_USERNAME: 'u' }, 'SF_PASSWORD'],
    [{ ...base, SF_PASSWORD: 's3cr3t' }, 'SF_USERNAME'],
    [{ SF_USERNAME: 'u', SF_PASSWORD: 's3cr3t' }, 'SF_CLIENT_ID'],
    [{ SF_REFRESH_TOKEN: 's3cr3t' }, 'SF_CLIENT_ID'],
    [{ SF_PRIVATE_KEY: 's3cr3t', SF_USERNAME: 'u' }, 'SF_CLIENT_ID'],
    [{ SF_PRIVATE_KEY: 's3cr3t', SF_CLIENT_ID: 'u' }, 'SF_USERNAME'],
  ])('a part of a set (%#): the missing variable is named, no value is', (env, missing) => {
    const error = refused(env)
    expect(error.message).toMatch(new RegExp(`^${missing} is not set`))
    expect(inspect(error)).not.toContain('s3cr3t')
  })

  it('--sandbox and --login-url exclude each other', () => {
    expect(refused(base, { sandbox: true, loginUrl: 'https://x.my.salesforce.com' }).message).toContain('exclude')
  })

  it.each([
    ['--sandbox has no effect', { SF_ACCESS_TOKEN: token, SF_INSTANCE_URL: 'https://a.my.salesforce.com' }, { sandbox: true }],
    [
      '--login-url has no effect',
      { SF_ACCESS_TOKEN: token, SF_INSTANCE_URL: 'https://a.my.salesforce.com' },
      { loginUrl: 'https://b.my.salesforce.com' },
    ],
    [
      '--sandbox names test.salesforce.com',
      { SF_CLIENT_ID: 'id', SF_CLIENT_SECRET: 's', SF_INSTANCE_URL: 'https://a.my.salesforce.com' },
      { sandbox: true },
    ],
  ])('a flag that would leave the command to another org is refused: %s', (said, env, flags) => {
    expect(refused(env, flags).message).toMatch(new RegExp(`^${said}`))
  })

  it.each([
    ['SF_LOGIN_URL is not a URL.', 'bad_login_url', { ...base, SF_LOGIN_URL: 'acme' }, {}],
    ['--login-url is not a URL.', 'bad_login_url', base, { loginUrl: 'acme' }],
    ['--instance-url is not a URL.', 'bad_login_url', { SF_CLIENT_ID: 'id', SF_CLIENT_SECRET: 's' }, { instanceUrl: 'acme' }],
    ['SF_INSTANCE_URL is not a URL.', 'bad_login_url', { SF_CLIENT_ID: 'id', SF_CLIENT_SECRET: 's', SF_INSTANCE_URL: 'acme' }, {}],
    ['SF_INSTANCE_URL is not a URL.', 'bad_instance_url', { SF_ACCESS_TOKEN: token, SF_INSTANCE_URL: 'acme' }, {}],
    ['--instance-url is not a URL.', 'bad_instance_url', { SF_ACCESS_TOKEN: token }, { instanceUrl: 'acme' }],
    ['SF_PRIVATE_KEY is not PEM text', 'bad_option', { SF_CLIENT_ID: 'id', SF_USERNAME: 'u', SF_PRIVATE_KEY: 'none' }, {}],
  ])('an error names what was typed, not an option of the library: %s', (message, code, env, flags) => {
    expect(() => credentials(env, flags)).toThrow(
      expect.objectContaining({
        name: 'AuthenticationError',
        code,
        message: expect.stringContaining(message),
        remediation: expect.not.stringMatching(/Url\b|Key\b|`/),
      }),
    )
    expect(() => credentials(env, flags)).not.toThrow(/Url\b|Key\b|`/)
  })
})

describe('a login that fails speaks of what was typed', () => {
  const failing = async (env: Environment, answer: () => Response): Promise<unknown> =>
    credentials(env)
      .getSession({ signal: new AbortController().signal, platform: webPlatform({ fetch: async () => answer() }) })
      .then(
        () => 'logged in',
        (error: unknown) => error,
      )

  it('variables, not options; and what the org said stays', async () => {
    const error = await failing(base, () =>
      Response.json({ error: 'invalid_client', error_description: 'invalid client credentials' }, { status: 400 }),
    )
    expect(error).toMatchObject({
      name: 'AuthenticationError',
      code: 'login_refused',
      remediation: 'Check SF_CLIENT_SECRET: it belongs to SF_CLIENT_ID and was not rotated.',
      server: { error: 'invalid_client', status: 400 },
    })
  })

  it('of a token that cannot be renewed, where the next one goes', async () => {
    const env = { SF_ACCESS_TOKEN: token, SF_INSTANCE_URL: 'https://acme.my.salesforce.com' }
    const rejected = { accessToken: token, instanceUrl: 'https://acme.my.salesforce.com' }
    const provider = credentials(env)
    await expect(provider.getSession({ signal: new AbortController().signal, platform: webPlatform(), rejected })).rejects.toMatchObject({
      code: 'token_refused',
      remediation: 'Set SF_ACCESS_TOKEN to a new token, or the variables of a login instead.',
    })
  })
})
