import { virtualClock } from '@sfstream/mock-org'
import { describe, expect, it } from 'vitest'
import { shortDeadline } from '../../src/bayeux/session/deadlines.ts'
import { fetchTransport } from '../../src/bayeux/transport/fetch-transport.ts'
import { createClient, type Platform } from '../../src/index.ts'
import { begin, inTurn, refusal, withRig } from '../support/rig.ts'
import { json, type SeenRequest, scriptedOrg } from '../support/scripted-org.ts'

const megabyte = new TextEncoder().encode('x'.repeat(1024 * 1024))

describe('requests that cannot be turned against their client', () => {
  it('a body without an end is let go of after 64 MB [PROTOCOL T2]', async () => {
    const clock = virtualClock()
    let sentMb = 0
    let letGo = false
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        // Where nothing stops the reading, this has to.
        if (++sentMb > 80) controller.close()
        else controller.enqueue(megabyte)
      },
      cancel() {
        letGo = true
      },
    })
    const { now, delay, random } = clock
    const transport = fetchTransport({ now, delay, random, fetch: () => Promise.resolve(new Response(body)) })
    const { cut, text } = await transport.exchange({
      url: new URL('https://acme.my.salesforce.com/cometd/66.0/'),
      headers: {},
      body: '[]',
      deadline: shortDeadline,
      signal: new AbortController().signal,
    })
    expect({ cut, letGo, mb: Math.floor(text.length / megabyte.length) }).toEqual({ cut: 'too_large', letGo: true, mb: 65 })
    expect(clock.pending).toBe(0)
  })

  it('no request may be redirected, and what a redirect points to is never asked [PROTOCOL T3]', async () => {
    const clock = virtualClock()
    const org = scriptedOrg(
      clock.now,
      inTurn('connect', [
        undefined,
        () => new Response('', { status: 302, headers: { location: 'https://elsewhere.example/cometd/66.0/' } }),
      ]),
    )
    const modes = new Set<unknown>()
    const fetch: Platform['fetch'] = (input, init) => {
      modes.add(init?.redirect)
      return org.fetch(input, init)
    }
    const client = createClient({ auth: org.session, platform: { fetch, now: clock.now, delay: clock.delay, random: clock.random } })
    client.subscribe('/event/Order__e')
    await clock.runUntil(() => client.state === 'failed')
    expect([...modes]).toEqual(['manual'])
    expect(new Set(org.requests.map(({ url }) => url.origin))).toEqual(new Set(['https://acme.my.salesforce.com']))
    await Promise.all([client.stop(), clock.advance(3_000)])
  })

  it('cookies of another domain are ignored, those of a refusal count [PROTOCOL T4]', async () => {
    const cookie = (value: string): [string, string] => ['set-cookie', value]
    const answer = (request: SeenRequest, org: { friendly(request: SeenRequest): unknown }): Response =>
      json(org.friendly(request), { headers: [cookie('own=1; path=/'), cookie('foreign=1; path=/; Domain=elsewhere.example')] })
    const script = inTurn('handshake', [() => new Response('', { status: 503, headers: [cookie('node=2; path=/')] }), answer])
    await withRig({ script }, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => org.held === 1)
      expect(org.of('handshake').map(({ headers }) => headers.get('cookie'))).toEqual([null, 'node=2'])
      expect(org.of('connect').at(-1)?.headers.get('cookie')).toBe('node=2; own=1')
    })
  })

  it('from the third lost session on a handshake carries no cookie: routing may be stuck [PROTOCOL S3]', async () => {
    const script = (request: SeenRequest, org: { friendly(request: SeenRequest): unknown }): Response | undefined => {
      if (request.what === 'handshake') return json(org.friendly(request), { headers: [['set-cookie', 'node=1; path=/']] })
      return request.what === 'connect' ? json([refusal(request, '403::Unknown client')]) : undefined
    }
    await withRig({ script }, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => org.of('handshake').length === 5)
      expect(org.of('handshake').map(({ headers }) => headers.get('cookie'))).toEqual([null, 'node=1', 'node=1', null, null])
    })
  })
})
