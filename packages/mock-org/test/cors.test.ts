import { createMockOrg, type MockOrgOptions, type Switches, virtualClock } from '@sfstream/mock-org'
import { startMockOrgServer } from '@sfstream/mock-org/node'
import { describe, expect, it } from 'vitest'

const app = 'https://app.example'
const other = 'https://other.example'
const loginUrl = 'https://login.salesforce.com'

function setUp(options: MockOrgOptions = {}) {
  const org = createMockOrg({ clock: virtualClock(), corsOrigins: [app], ...options })
  const ask = async (url: string, origin: string, init: RequestInit = {}) => {
    const reply = await org.fetch(url, { ...init, headers: { ...init.headers, Origin: origin } })
    return { status: reply.status, allowed: reply.headers.get('Access-Control-Allow-Origin'), headers: reply.headers }
  }
  const preflight = (url: string, origin: string) =>
    ask(url, origin, {
      method: 'OPTIONS',
      headers: { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization,content-type' },
    })
  const authorized = { Authorization: `Bearer ${org.session().accessToken}` }
  return { org, ask, preflight, authorized }
}

describe('what pages of other origins may read', () => {
  it('REST, when the allowlist names them; others are refused with 403', async () => {
    const { org, ask, preflight, authorized } = setUp()
    for (const path of ['/services/data', '/services/data/', '/services/data/v66.0/limits']) {
      const asked = await preflight(org.url + path, app)
      expect(asked).toMatchObject({ status: 204, allowed: app })
      expect(asked.headers.get('Access-Control-Allow-Methods')).toBe('HEAD,GET,POST,PUT,PATCH,DELETE')
      expect(asked.headers.get('Access-Control-Allow-Headers')).toBe('authorization,content-type')
      expect(asked.headers.get('Access-Control-Allow-Credentials')).toBeNull()
      expect(await ask(org.url + path, app, { headers: authorized })).toMatchObject({ status: 200, allowed: app })
      expect(await preflight(org.url + path, other)).toMatchObject({ status: 403, allowed: null })
      expect(await ask(org.url + path, other, { headers: authorized })).toMatchObject({ status: 403, allowed: null })
    }
    // A refusal is one that the page can read.
    expect(await ask(`${org.url}/services/data/v66.0/limits`, app)).toMatchObject({ status: 401, allowed: app })
  })

  it('REST, for a page of the org itself', async () => {
    const { org, ask, authorized } = setUp()
    expect(await ask(`${org.url}/services/data/v66.0/limits`, org.url, { headers: authorized })).toMatchObject({
      status: 200,
      allowed: null,
    })
  })

  it('never CometD, whatever the allowlist says', async () => {
    const { org, ask, preflight, authorized } = setUp({ switches: { oauthCors: 'any' } })
    expect(await preflight(`${org.url}/cometd/66.0`, app)).toMatchObject({ status: 405, allowed: null })
    const handshake = JSON.stringify({ channel: '/meta/handshake', supportedConnectionTypes: ['long-polling'] })
    expect(await ask(`${org.url}/cometd/66.0`, app, { method: 'POST', headers: authorized, body: handshake })).toMatchObject({
      status: 200,
      allowed: null,
    })
  })

  it('the metadata and keys of OAuth, whoever they are, on every host', async () => {
    const { org, ask } = setUp()
    for (const host of [org.url, loginUrl]) {
      for (const path of ['/.well-known/openid-configuration', '/services/oauth2/id/keys'])
        expect(await ask(host + path, other)).toMatchObject({ status: 200, allowed: other })
    }
  })

  it('userinfo, when the allowlist names them', async () => {
    const { org, ask, authorized } = setUp()
    const userinfo = `${org.url}/services/oauth2/userinfo`
    expect(await ask(userinfo, app, { headers: authorized })).toMatchObject({ status: 200, allowed: app })
    expect(await ask(userinfo, other, { headers: authorized })).toMatchObject({ status: 200, allowed: null })
  })

  it.each<[Switches['oauthCors'], string | null, string | null]>([
    ['off', null, null],
    ['listed', app, null],
    ['any', app, other],
  ])('logins with oauthCors %s, on the instance alone', async (oauthCors, listed, unlisted) => {
    const { org, ask, preflight } = setUp({ switches: { oauthCors } })
    for (const name of ['token', 'revoke', 'introspect']) {
      const [here, there] = [`${org.url}/services/oauth2/${name}`, `${loginUrl}/services/oauth2/${name}`]
      expect((await preflight(here, app)).allowed).toBe(listed)
      const body = new URLSearchParams({ grant_type: 'none' })
      expect((await ask(here, app, { method: 'POST', body })).allowed).toBe(listed)
      expect((await ask(here, other, { method: 'POST', body })).allowed).toBe(unlisted)
      expect((await ask(there, app, { method: 'POST', body })).allowed).toBeNull()
    }
  })

  it('is the same over HTTP', async () => {
    const server = await startMockOrgServer({ corsOrigins: [app] })
    try {
      const list = (origin: string) => fetch(`${server.url}/services/data/`, { headers: { Origin: origin } })
      expect((await list(app)).headers.get('Access-Control-Allow-Origin')).toBe(app)
      expect((await list(other)).status).toBe(403)
      expect((await list(server.url)).status).toBe(200)
    } finally {
      await server.close()
    }
  })
})
