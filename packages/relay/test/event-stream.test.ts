import { createClient, SfStreamError } from '@sfstream/core'
import { createMockOrg } from '@sfstream/mock-org'
import { createRelay, type RelayOptions } from '@sfstream/relay'
import { describe, expect, test } from 'vitest'
import { channel, other, relayBench, url } from './relay-bench.ts'

const sse = { accept: 'text/event-stream' }

/** Reads a stream the way an EventSource does. */
function follow(response: Response) {
  const frames: { event: string; id: string | undefined; data: unknown }[] = []
  const state = { text: '', done: false }
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  const run = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      state.text += decoder.decode(value)
    }
    state.done = true
  }
  void run().catch(() => {})
  return {
    state,
    leave: () => reader.cancel(),
    frames: () => {
      frames.length = 0
      for (const block of state.text.split('\n\n')) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
        const data = field('data')
        if (data !== undefined) frames.push({ event: field('event') ?? 'message', id: field('id'), data: JSON.parse(data) })
      }
      return frames
    },
  }
}

describe('the wire of a relay', () => {
  test('streams org messages as they came, with a cursor that resumes after them', async () => {
    const bench = relayBench()
    const first = follow(await bench.get(`?channel=${channel}`, sse))
    await bench.clock.advance(1_000)
    bench.publish(3)
    await bench.clock.runUntil(() => first.frames().filter(({ event }) => event === 'message').length === 3)
    const [hello, subscribed, ...events] = first.frames().filter(({ event }) => event !== 'live')
    expect(hello).toMatchObject({ event: 'hello', data: { org: bench.org.orgId.slice(0, 15), heartbeatMs: 15_000 } })
    expect(subscribed).toMatchObject({ event: 'subscribed', data: { channel } })
    expect(events[1]?.data).toMatchObject({ channel, data: { payload: { Number__c: 2 } } })
    await first.leave()

    const second = follow(await bench.get(`?channel=${channel}`, { ...sse, 'last-event-id': events[1]?.id as string }))
    await bench.clock.runUntil(() => second.frames().some(({ event }) => event === 'message'))
    expect(
      second
        .frames()
        .filter(({ event }) => event === 'message')
        .map(({ data }) => data),
    ).toEqual([events[2]?.data])
    // Before any event, too, the place is known.
    const third = follow(await bench.get(`?channel=${channel}&cursor=${encodeURIComponent(subscribed?.id as string)}`, sse))
    await bench.clock.runUntil(() => third.frames().filter(({ event }) => event === 'message').length === 3)
    await bench.relay.close()
    expect(third.frames().at(-1)).toMatchObject({ event: 'bye' })
    await bench.clock.runUntil(() => third.state.done)
  })

  test('a cursor names every channel of its stream', async () => {
    const bench = relayBench()
    const first = follow(await bench.get(`?channel=${channel}&channel=${other}`, sse))
    await bench.clock.advance(1_000)
    bench.publish(2, channel)
    bench.publish(2, other)
    const messages = (stream: typeof first) => stream.frames().filter(({ event }) => event === 'message')
    await bench.clock.runUntil(() => messages(first).length === 4)
    for (let at = 0; at < 4; at++) {
      const again = follow(
        await bench.get(`?channel=${channel}&channel=${other}`, { ...sse, 'last-event-id': messages(first)[at]?.id as string }),
      )
      await bench.clock.advance(1_000)
      const numbers = [...messages(first).slice(0, at + 1), ...messages(again)].map(
        ({ data }) => (data as { data: { payload: { Number__c: number } } }).data.payload.Number__c,
      )
      expect(numbers.sort()).toEqual([1, 2, 3, 4])
      await again.leave()
    }
    await bench.relay.close()
  })

  test.each([
    ['that is none', 'nonsense', 'position-refused'],
    ['of another org', '1~00D000000000000~%2Fevent%2FOrder_Event__e=15', 'other-org'],
    ['of a relay that is gone', (org: string) => `1~${org}~%2Fevent%2FOrder_Event__e=@abc.3`, 'no-position'],
    ['that the org refuses', (org: string) => `1~${org}~%2Fevent%2FOrder_Event__e=15`, 'position-refused'],
  ])('a cursor %s is reported, and all that is retained follows', async (_, cursor, reason) => {
    const bench = relayBench()
    bench.publish(2)
    const org = bench.org.orgId.slice(0, 15)
    const stream = follow(
      await bench.get(`?channel=${channel}`, { ...sse, 'last-event-id': typeof cursor === 'string' ? cursor : cursor(org) }),
    )
    await bench.clock.runUntil(() => stream.frames().filter(({ event }) => event === 'message').length === 2)
    expect(stream.frames().filter(({ event }) => event === 'replayGap')).toMatchObject([{ data: { channel, reason, to: 'all' } }])
    await bench.relay.close()
  })

  test('a stream without events is kept alive by comments, and ended for its age', async () => {
    const bench = relayBench({ heartbeatMs: 1_000, maxStreamMs: 60_000 })
    const stream = follow(await bench.get(`?channel=${channel}`, sse))
    await bench.clock.advance(10_500)
    expect(stream.state.text.match(/^:$/gm)?.length).toBeGreaterThanOrEqual(9)
    await bench.clock.advance(60_000)
    expect(stream.frames().at(-1)).toMatchObject({ event: 'bye' })
    expect(stream.state.done).toBe(true)
    expect(bench.relay.stats.clients).toBe(0)
    await bench.relay.close()
  })

  test.each(['before', 'while'])('an aborted request ends its body, whoever still reads it (aborted %s it is read)', async (when) => {
    const bench = relayBench()
    const controller = new AbortController()
    const response = await bench.relay(new Request(`${url}?channel=${channel}`, { headers: sse, signal: controller.signal }))
    if (when === 'before') controller.abort()
    const { state } = follow(response)
    await bench.clock.advance(1_000)
    controller.abort()
    await bench.clock.advance(1)
    expect(state.done).toBe(true)
    expect(bench.relay.stats.clients).toBe(0)
    await bench.relay.close()
    expect(bench.clock.pending).toBe(0)
  })

  test('one who does not read is sent nothing, holds nobody up, and gets it all when it does', async () => {
    const bench = relayBench({ window: { maxEvents: 50 }, heartbeatMs: 1_000 })
    const stalled = (await bench.get(`?channel=${channel}`, sse)).body!.getReader()
    await stalled.read()
    await bench.clock.advance(100)
    await stalled.read()
    const reader = follow(await bench.get(`?channel=${channel}`, sse))
    const count = () => reader.frames().filter(({ event }) => event === 'message').length
    await bench.clock.advance(100)
    bench.publish(10)
    await stalled.read()
    for (let i = 0; i < 10; i++) {
      bench.publish(40)
      await bench.clock.runUntil(() => count() === 10 + (i + 1) * 40)
    }
    expect(bench.relay.stats.catchUps).toBe(0)
    let text = ''
    const decoder = new TextDecoder()
    const read = async (): Promise<void> => {
      for (let next = await stalled.read(); !next.done; next = await stalled.read()) text += decoder.decode(next.value)
    }
    void read()
    await bench.clock.runUntil(() => (text.match(/^data: .*Number__c/gm)?.length ?? 0) === 400)
    expect(text).toContain('event: waiting')
    expect(bench.relay.stats.catchUps).toBe(1)
    await bench.relay.close()
  })

  test('a replay whose client cannot be made is told to those who wait for it', async () => {
    const bench = relayBench()
    const connect = (purpose: string) => {
      if (purpose === 'replay') throw new Error('no secrets here')
      return createClient({
        auth: bench.org.session(),
        replayStore: null,
        platform: { fetch: bench.org.fetch, now: bench.clock.now, delay: bench.clock.delay, random: bench.clock.random },
      })
    }
    await bench.restart({ connect })
    const stream = follow(await bench.get(`?channel=${channel}&from=all`, sse))
    await bench.clock.runUntil(() => stream.state.done)
    expect(stream.frames().slice(-2)).toMatchObject([{ event: 'failed', data: { channel } }, { event: 'bye' }])
    expect(stream.state.text).not.toContain('secrets')
    await bench.relay.close()
  })

  test('a live client that is stopped by others is a failure that is told', async () => {
    const made: { stop(): Promise<void> }[] = []
    const bench = relayBench()
    await bench.restart({
      connect() {
        const client = createClient({
          auth: bench.org.session(),
          replayStore: null,
          platform: { fetch: bench.org.fetch, now: bench.clock.now, delay: bench.clock.delay, random: bench.clock.random },
        })
        made.push(client)
        return client
      },
    })
    const stream = follow(await bench.get(`?channel=${channel}`, sse))
    await bench.clock.advance(1_000)
    void made[0]?.stop()
    await bench.clock.runUntil(() => stream.state.done)
    expect(stream.frames().at(-2)).toMatchObject({ event: 'failed', data: { channel, error: { code: 'client_stopped' } } })
    await bench.relay.close()
  })

  test('a live session that moves to another org: the gap is told, the stream ends, and begins anew there', async () => {
    const bench = relayBench()
    const elsewhere = createMockOrg({ clock: bench.clock, seed: 9, instanceUrl: 'https://other.my.salesforce.com' })
    const fetch = (input: string | URL, init?: RequestInit): Promise<Response> =>
      (new URL(input).hostname.startsWith('other.') ? elsewhere : bench.org).fetch(input, init)
    let org = bench.org
    await bench.restart({
      connect: () =>
        createClient({
          auth: async () => org.session(),
          replayStore: null,
          platform: { fetch, now: bench.clock.now, delay: bench.clock.delay, random: bench.clock.random },
        }),
    })
    const stream = follow(await bench.get(`?channel=${channel}`, sse))
    await bench.clock.advance(1_000)
    bench.publish(1)
    await bench.clock.runUntil(() => stream.frames().some(({ event }) => event === 'message'))
    org = elsewhere
    bench.org.faults.revokeTokens()
    bench.org.faults.loseSessions()
    // Long before its age would end it.
    await bench.clock.runUntil(() => stream.state.done, 60_000)
    expect(stream.frames().find(({ event }) => event === 'replayGap')).toMatchObject({ data: { channel, reason: 'other-org' } })
    expect(stream.frames().at(-1)).toMatchObject({ event: 'bye' })
    const again = follow(
      await bench.get(`?channel=${channel}`, {
        ...sse,
        'last-event-id': [...stream.frames()].reverse().find(({ id }) => id)?.id as string,
      }),
    )
    await bench.clock.advance(1_000)
    expect(again.frames()[0]).toMatchObject({ event: 'hello', data: { org: elsewhere.orgId.slice(0, 15) } })
    expect(again.frames()[1]).toMatchObject({ event: 'replayGap', data: { channel, reason: 'other-org' } })
    await bench.relay.close()
  })

  test('a channel nobody reads is let go, after a while, and with the last one the session', async () => {
    const bench = relayBench({ lingerMs: 10_000 })
    const stream = follow(await bench.get(`?channel=${channel}`, sse))
    await bench.clock.advance(1_000)
    await stream.leave()
    await bench.clock.advance(5_000)
    expect(bench.org.inspect.subscriptions).toEqual({ [channel]: 1 })
    await bench.clock.advance(6_000)
    expect(bench.org.inspect.subscriptions).toEqual({})
    expect(bench.relay.stats).toMatchObject({ clients: 0, channels: 0 })
    expect(bench.org.inspect.slots.used).toBe(0)
    const again = follow(await bench.get(`?channel=${channel}`, sse))
    await bench.clock.advance(1_000)
    bench.publish(1)
    await bench.clock.runUntil(() => again.frames().some(({ event }) => event === 'message'))
    await bench.relay.close()
  })
})

describe('what a relay refuses', () => {
  test.each([
    ['no channel', '', 400, 'bad_option'],
    ['a channel that is not offered', '?channel=/event/Other__e', 403, 'subscribe_refused'],
    ['a channel that is not for the reader', `?channel=${other}`, 403, 'subscribe_refused'],
    ['an unknown start', `?channel=${channel}&from=yesterday`, 400, 'bad_option'],
    ['an unknown fallback', `?channel=${channel}&fallback=maybe`, 400, 'bad_option'],
  ])('%s', async (_, query, status, code) => {
    const bench = relayBench({ authorize: (request, name) => name !== other || request.headers.has('authorization') })
    const response = await bench.get(query, sse)
    expect(response.status).toBe(status)
    const { error } = await response.json()
    expect(error).toMatchObject({ code, message: expect.stringMatching(/./), remediation: expect.stringMatching(/./) })
    await bench.relay.close()
  })

  test('answers of your own, methods, and streams beyond the limits', async () => {
    const bench = relayBench({
      maxClients: 3,
      maxClientsEach: 2,
      limitBy: (request) => request.headers.get('x-user') ?? undefined,
      authorize: (request) => (request.headers.has('x-anonymous') ? new Response('sign in', { status: 401 }) : true),
    })
    expect((await bench.get(`?channel=${channel}`, { ...sse, 'x-anonymous': '1' })).status).toBe(401)
    expect((await bench.relay(new Request(url, { method: 'POST' }))).status).toBe(405)
    const open = async (user: string) => bench.get(`?channel=${channel}`, { ...sse, 'x-user': user })
    const [one, two, three] = await Promise.all([open('ada'), open('ada'), open('ada')])
    expect([one, two, three].map(({ status }) => status).sort()).toEqual([200, 200, 429])
    expect((await open('bob')).status).toBe(200)
    const full = await open('cyd')
    expect(full.status).toBe(503)
    expect(full.headers.get('retry-after')).toBe('10')
    await bench.relay.close()
    expect((await open('bob')).status).toBe(503)
  })

  test('an org that refuses the login: the code is told, the reason stays with those who run the relay', async () => {
    let made = 0
    const bench = relayBench({
      connect: () => {
        made++
        return createClient({
          auth: () => Promise.reject(new SfStreamError({ code: 'login_refused', message: 'secret host', remediation: 'secret' })),
          replayStore: null,
          platform: { fetch: bench.org.fetch, now: bench.clock.now, delay: bench.clock.delay, random: bench.clock.random },
        })
      },
    })
    for (let i = 0; i < 3; i++) {
      const response = await bench.get(`?channel=${channel}`, sse)
      expect(response.status).toBe(503)
      const text = await response.text()
      expect(text).toContain('login_refused')
      expect(text).not.toContain('secret')
    }
    expect(made).toBe(1)
    await bench.relay.close()
  })

  test('pages of other origins, unless they are named', async () => {
    const bench = relayBench({ cors: { origins: ['https://app.example'], credentials: true } })
    const ask = (origin: string, method = 'GET') => bench.relay(new Request(url, { method, headers: { origin } }))
    expect((await ask('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull()
    const allowed = await ask('https://app.example')
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(allowed.headers.get('access-control-allow-credentials')).toBe('true')
    expect(allowed.headers.get('vary')).toContain('origin')
    const own = new Response('sign in', { status: 401, headers: { vary: 'cookie' } })
    const refusing = createRelay({
      connect: () => bench.browser().client,
      channels: [channel],
      authorize: () => own,
      cors: { origins: ['https://app.example'] },
    })
    const refused = await refusing(new Request(`${url}?channel=${channel}`, { headers: { ...sse, origin: 'https://app.example' } }))
    expect(refused.headers.get('vary')).toBe('cookie, origin')
    const preflight = await ask('https://app.example', 'OPTIONS')
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET')
    await bench.relay.close()
  })

  test.each<[string, Partial<Record<keyof RelayOptions, unknown>>]>([
    ['connect', { connect: undefined }],
    ['authorize', { authorize: true }],
    ['channels', { channels: [] }],
    ['channels', { channels: ['Order__e'] }],
    ['maxClients', { maxClients: 0 }],
    ['heartbeatMs', { heartbeatMs: Number.NaN }],
    ['fallback', { fallback: 'none' }],
    ['cors', { cors: { origins: undefined } }],
    ['cors for all, with cookies', { cors: { origins: '*', credentials: true } }],
  ])('options that cannot work: %s %o', (_, wrong) => {
    const options = {
      connect: () => createClient({ auth: { accessToken: 'x', instanceUrl: 'https://x.example' } }),
      channels: [channel],
      authorize: () => true,
    }
    expect(() => createRelay({ ...options, ...wrong } as RelayOptions)).toThrow(SfStreamError)
  })
})
