import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { inspect, promisify } from 'node:util'
import type { AuthProvider, OrgSession, Platform } from '@sfstream/core'
import { webPlatform } from '@sfstream/core/internal'
import { startMockOrgServer } from '@sfstream/mock-org/node'
import { createClient, sfCli } from '@sfstream/node'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { type FakePrograms, fakePrograms } from './support/fake-program.ts'

const instanceUrl = 'https://acme.my.salesforce.com'
const token = '00Dxx0000001gER!AQ.secret-token'

let fake: FakePrograms
beforeEach(async () => {
  fake = await fakePrograms()
})
afterEach(() => fake.remove())

/** A clock that stands still; `ring` lets all timers fire. */
function setUp() {
  const timers = new Set<() => void>()
  const controller = new AbortController()
  const platform: Platform = webPlatform({
    delay: (callback) => {
      timers.add(callback)
      return () => timers.delete(callback)
    },
  })
  return { context: { signal: controller.signal, platform }, controller, timers, ring: () => [...timers].map((timer) => timer()) }
}

const ask = (auth: AuthProvider, rejected?: OrgSession): Promise<OrgSession> =>
  auth.getSession({ ...setUp().context, ...(rejected ? { rejected } : {}) })
const failed = (auth: AuthProvider, rejected?: OrgSession): Promise<unknown> =>
  ask(auth, rejected).then(
    (session) => expect.fail(`a session: ${JSON.stringify(session)}`),
    (error: unknown) => error,
  )

/** What `sf org display` of an older CLI prints. */
const displayed = (more: Record<string, unknown> = {}): string =>
  JSON.stringify({
    status: 0,
    result: { id: '00Dxx0000001gERXXX', accessToken: token, instanceUrl, username: 'amy@acme.com', connectedStatus: 'Connected', ...more },
    warnings: ['This command will expose sensitive information'],
  })
const refusal = (name: string, message: string): string =>
  JSON.stringify({ name, message, exitCode: 1, status: 1, stack: 'Error: …', warnings: [] })
const redacted = "[REDACTED] Use 'sf org auth show-access-token' to view"

describe('a login of the CLI', () => {
  it('is asked for with `sf org display --json`, for the default org or the one that is named', async () => {
    await fake.add('sf', `say(${displayed()})`)
    expect(await ask(sfCli())).toEqual({ accessToken: token, instanceUrl })
    await ask(sfCli({ targetOrg: 'amy+dev@acme.com' }))
    expect(fake.runs).toEqual([
      ['sf', 'org', 'display', '--json'],
      ['sf', 'org', 'display', '--target-org=amy+dev@acme.com', '--json'],
    ])
  })

  it('is completed with `sf org auth show-access-token` where the CLI hides the token', async () => {
    await fake.add(
      'sf',
      `say(args[1] === 'display' ? ${displayed({ accessToken: redacted })} : { status: 0, result: { accessToken: ${JSON.stringify(token)} } })`,
    )
    expect(await ask(sfCli({ targetOrg: 'dev' }))).toEqual({ accessToken: token, instanceUrl })
    expect(fake.runs).toEqual([
      ['sf', 'org', 'display', '--target-org=dev', '--json'],
      ['sf', 'org', 'auth', 'show-access-token', '--target-org=dev', '--json'],
    ])
  })

  it('comes from the older sfdx where there is no sf', async () => {
    await fake.add('sfdx', `say(${displayed()})`)
    expect(await ask(sfCli({ targetOrg: 'dev' }))).toEqual({ accessToken: token, instanceUrl })
    expect(fake.runs).toEqual([['sfdx', 'force:org:display', '--targetusername=dev', '--json']])
  })

  it('is one run for concurrent callers, and another one when the token was refused', async () => {
    await fake.add('sf', `say({ status: 0, result: { accessToken: '00Dxx!' + process.pid, instanceUrl: '${instanceUrl}' } })`)
    const auth = sfCli()
    const [first, same] = await Promise.all([ask(auth), ask(auth)])
    expect(same).toEqual(first)
    expect(fake.runs).toHaveLength(1)
    expect((await ask(auth, first)).accessToken).not.toBe(first?.accessToken)
    expect(fake.runs).toHaveLength(2)
  })

  it('is read past warnings and colours asked for', async () => {
    process.env.FORCE_COLOR = '1'
    onTestFinished(() => void delete process.env.FORCE_COLOR)
    await fake.add(
      'sf',
      `console.error('Warning: update available'); console.log('Warning: \\u203a something'); if (process.env.FORCE_COLOR || !process.env.NO_COLOR) process.exit(3); say(${displayed()})`,
    )
    expect((await ask(sfCli())).accessToken).toBe(token)
  })

  it('streams', async () => {
    const server = await startMockOrgServer({ channels: ['/event/Order__e'] })
    onTestFinished(() => server.close())
    const session = server.org.session()
    await fake.add('sf', `say(${displayed(session as unknown as Record<string, unknown>)})`)
    const client = createClient({ auth: sfCli({ targetOrg: 'dev' }), replayStore: null, proxy: false })
    onTestFinished(() => client.stop())
    const subscription = client.subscribe('/event/Order__e')
    await subscription.ready
    server.org.publish('/event/Order__e', { Number__c: 1 })
    for await (const event of subscription) {
      expect(event.payload).toMatchObject({ Number__c: 1 })
      break
    }
  })
})

describe('without a login', () => {
  it('no CLI at all is a missing credential', async () => {
    expect(await failed(sfCli())).toMatchObject({
      name: 'AuthenticationError',
      code: 'missing_credential',
      retryable: false,
      remediation: expect.stringContaining('Install the Salesforce CLI'),
    })
  })

  it.each([
    ['NamedOrgNotFoundError', 'No authorization information found for dev.', { targetOrg: 'dev' }, 'sf org login web --alias dev'],
    [
      'NoDefaultEnvError',
      'No default environment found. Use -o or --target-org to specify an environment.',
      {},
      'sf org login web --set-default',
    ],
  ])('%s says how to log in, in the words of the CLI', async (name, message, options, remediation) => {
    for (const stream of ['stdout', 'stderr']) {
      await fake.add('sf', `process.${stream}.write(${JSON.stringify(refusal(name, message))}); process.exitCode = 1`)
      expect(await failed(sfCli(options))).toMatchObject({
        name: 'AuthenticationError',
        code: 'authorization_needed',
        retryable: false,
        server: { error: name, text: message },
        remediation: expect.stringContaining(remediation),
      })
    }
  })

  it.each([
    ['a refresh token that ended', `say(${displayed({ connectedStatus: 'RefreshTokenAuthError' })})`, 'RefreshTokenAuthError'],
    ['a scratch org that expired', `say(${displayed({ connectedStatus: undefined, status: 'Expired' })})`, 'Expired'],
    [
      'a refusal',
      `say(${refusal('RefreshTokenAuthError', 'Error authenticating with the refresh token due to: expired access/refresh token')}, 1)`,
      'RefreshTokenAuthError',
    ],
  ])('an expired one is told: %s', async (_, body, error) => {
    await fake.add('sf', body)
    expect(await failed(sfCli({ targetOrg: 'dev' }))).toMatchObject({
      code: 'authorization_needed',
      message: expect.stringContaining('has ended'),
      server: { error },
    })
    expect(fake.runs).toHaveLength(1)
  })

  it.each([
    ['Connected', 'token_refused'],
    [undefined, 'token_refused'],
    ['ENOTFOUND', 'login_unavailable'],
    ['Down (Maintenance)', 'login_unavailable'],
  ])('the refused token once more, while %s, is %s', async (connectedStatus, code) => {
    await fake.add('sf', `say(${displayed({ connectedStatus })})`)
    const auth = sfCli()
    const error = await failed(auth, await ask(auth))
    expect(error).toMatchObject({ name: 'AuthenticationError', code })
    expect(inspect(error)).not.toContain('secret-token')
  })

  it.each([
    ['a network failure', `say(${refusal('ENOTFOUND', 'getaddrinfo ENOTFOUND')}, 1)`, 'login_unavailable', true],
    ['another refusal', `say(${refusal('SomethingNewError', 'who knows')}, 1)`, 'login_refused', false],
    ['nothing', '', 'login_unavailable', true],
    ['no JSON', `console.log('Segmentation fault ${token}'); process.exitCode = 139`, 'login_unavailable', true],
    ['JSON that is no object', 'say([1])', 'login_unavailable', true],
    ['JSON without a result', `say({ status: 0 })`, 'login_unavailable', true],
    ['no instance', `say(${displayed({ instanceUrl: undefined })})`, 'login_unavailable', true],
    ['an http instance', `say(${displayed({ instanceUrl: 'http://acme.example' })})`, 'bad_instance_url', false],
    ['a JWT', `say(${displayed({ accessToken: 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln' })})`, 'jwt_access_token', false],
    [
      'endless output',
      `const more = () => { while (process.stdout.write('x'.repeat(65536))); process.stdout.once('drain', more) }; more()`,
      'login_unavailable',
      true,
    ],
  ])('%s is a typed error without a secret', async (_, body, code, retryable) => {
    await fake.add('sf', body)
    const error = await failed(sfCli())
    expect(error).toMatchObject({ name: 'AuthenticationError', code, retryable })
    expect(inspect(error, { showHidden: true, depth: null })).not.toContain('secret-token')
  })

  it.each(['', '-dev', '--help', 'a b', 'dev; rm -rf ~', '$(id)', '`id`', 'a&b', 'a|b', '"dev"', "o'dev", 'a%PATH%', 'a\nb', '../dev'])(
    'targetOrg %j is refused before anything runs',
    (targetOrg) => {
      expect(() => sfCli({ targetOrg })).toThrow(expect.objectContaining({ name: 'AuthenticationError', code: 'bad_option' }))
    },
  )

  it.each([0, -1, Number.NaN])('timeoutMs %s is refused', (timeoutMs) => {
    expect(() => sfCli({ timeoutMs })).toThrow(expect.objectContaining({ code: 'bad_option' }))
  })
})

describe('a CLI that hangs', () => {
  // The launcher that comes with the CLI is a shell script around Node: what it started must go with it.
  const hang = `
    const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })
    note(process.pid); note(child.pid)
    setInterval(() => {}, 1000)`
  const alive = (pid: number): boolean => {
    try {
      process.kill(pid, 0)
      return true
    } catch {
      return false
    }
  }

  it.each(['timeout', 'abort'])('is stopped by %s, with all it has started', async (by) => {
    await fake.add('sf', hang)
    const { context, controller, timers, ring } = setUp()
    const error = sfCli({ timeoutMs: 5_000 })
      .getSession(context)
      .catch((caught: unknown) => caught)
    await expect.poll(() => fake.noted.length, { timeout: 20_000 }).toBe(2)
    if (by === 'abort') controller.abort(new Error('enough'))
    else ring()
    expect(await error).toMatchObject(
      by === 'abort'
        ? { message: 'enough' }
        : { code: 'login_unavailable', retryable: true, message: expect.stringContaining('within 5 s') },
    )
    expect(timers.size).toBe(0)
    await expect.poll(() => fake.noted.filter(alive), { timeout: 20_000 }).toEqual([])
  })
})

it.skipIf(process.platform === 'win32')('a process that may open no more files is told so, and lives', async () => {
  const program = fileURLToPath(new URL('support/no-files-left.ts', import.meta.url))
  const sources = new URL('../../conformance/sources.mjs', import.meta.url).href
  const { stdout } = await promisify(execFile)('/bin/sh', [
    '-c',
    'ulimit -n 64; exec "$0" --import "$1" "$2"',
    process.execPath,
    sources,
    program,
  ])
  expect(stdout).toBe('login_unavailable true\nalive\n')
})
