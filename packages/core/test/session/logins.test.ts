import { describe, expect, it } from 'vitest'
import { AuthenticationError, type OrgSession } from '../../src/index.ts'
import { begin, inTurn, read, withRig } from '../support/rig.ts'

const channel = '/event/Order__e'
const old: OrgSession = { accessToken: '00D000000000001!kept', instanceUrl: 'https://old.my.salesforce.com' }
const moved: OrgSession = { ...old, instanceUrl: 'https://new.my.salesforce.com' }

describe('an org that has moved and kept its token', () => {
  it.each([
    ['redirects', () => new Response(null, { status: 302, headers: { location: 'https://new.my.salesforce.com/' } })],
    ['answers 404', () => new Response('<html>', { status: 404 })],
    ['refuses the token', () => new Response('', { status: 401 })],
  ])('the old host %s: the same token is tried where the login says it is good, once', async (_, gone) => {
    let logins = 0
    const auth = () => Promise.resolve(logins++ === 0 ? old : moved)
    await withRig({ auth, script: inTurn('connect', [undefined, gone]) }, async ({ client, org, clock, said }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => reading.over || (org.of('handshake').length === 2 && org.held === 1))
      expect(reading.over).toBe(false)
      expect([client.endpoint?.host, logins]).toEqual(['new.my.salesforce.com', 2])
      expect(said('reauthenticated')).toMatchObject([{ instanceUrl: moved.instanceUrl }])
    })
    logins = 0
    const refused = { auth, script: () => gone() }
    await withRig(refused, async ({ client, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => reading.over)
      expect(logins).toBe(2)
    })
  })
})

describe('a login host that asks for a pause', () => {
  it.each([
    [600_000, 600_000],
    [9e9, 3_600_000],
  ])('%d ms: no login before, and of an hour at most', async (retryAfterMs, expected) => {
    const at: number[] = []
    const fail = new AuthenticationError({
      code: 'login_unavailable',
      message: 'Too many logins.',
      remediation: 'Wait.',
      retryable: true,
      server: { text: '', status: 429, retryAfterMs },
    })
    const auth = {
      getSession: ({ platform }: { platform: { now(): number } }) =>
        at.push(platform.now()) < 3 ? Promise.reject(fail) : Promise.resolve(old),
    }
    await withRig({ auth }, async ({ client, org, clock, said }) => {
      begin(client)
      await clock.runUntil(() => org.held === 1, 10_000_000)
      expect(at.slice(1).map((time, index) => time - at[index]!)).toEqual([expected, expected])
      expect(said('retry')).toMatchObject([
        { what: 'auth', delayMs: expected },
        { what: 'auth', delayMs: expected },
      ])
    })
  })
})

describe('a provider of JavaScript', () => {
  it('may answer without a promise', async () => {
    for (const auth of [() => old, { getSession: () => old }])
      await withRig({ auth: auth as never }, async ({ client, org, clock }) => {
        begin(client)
        await clock.runUntil(() => org.held === 1)
        expect(client.endpoint?.host).toBe('old.my.salesforce.com')
      })
  })

  it.each([undefined, null, 7, {}])('that answers %j is told what is missing', async (answer) => {
    for (const auth of [() => answer, { getSession: () => answer }])
      await withRig({ auth: auth as never }, async ({ client, clock }) => {
        const failing = client.start().catch((error: unknown) => error)
        await clock.settle()
        expect(await failing).toMatchObject({ name: 'AuthenticationError', code: 'missing_credential' })
      })
  })
})
