import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { BayeuxMessage, ReplayStore } from '../../src/index.ts'
import { begin, errorOf, gather, read, refusal, withRig } from '../support/rig.ts'
import { json, platformEvent } from '../support/scripted-org.ts'

const channel = '/event/Order__e'

/** What nobody reaches is gone afterwards. */
async function collect(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  await new Promise((resolve) => setImmediate(resolve))
  ;(runInNewContext('gc') as () => void)()
}

describe('races of starting, subscribing and stopping', () => {
  it('a subscription whose signal is aborted already does not silence its channel for good', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      const reason = new Error('too late')
      const late = client.subscribe(channel, { signal: AbortSignal.abort(reason) })
      expect(await gather(late, [])).toBe(reason)
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1, 60_000)
      org.push(platformEvent(1))
      await clock.settle()
      expect(reading.ids).toEqual([1])
    })
  })

  it('options that cannot work do not silence their channel for good', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      expect(() => client.subscribe(channel, { maxBuffered: Number.NaN })).toThrow(expect.objectContaining({ code: 'bad_option' }))
      expect(() => client.subscribe(channel, { maxBufferedBytes: -1 })).toThrow(expect.objectContaining({ code: 'bad_option' }))
      expect(() => client.subscribe(channel, { replay: 5n as never })).toThrow(expect.objectContaining({ code: 'bad_replay' }))
      expect(() => client.subscribe(5n as never)).toThrow(expect.objectContaining({ code: 'bad_channel' }))
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1, 60_000)
      org.push(platformEvent(1))
      await clock.settle()
      expect(reading.ids).toEqual([1])
    })
  })

  it('stop() leaves the state stopped: after stop(), after a failure, and where nothing was started', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      await client.stop()
      expect(client.state).toBe('stopped')
      begin(client)
      await clock.runUntil(() => org.held === 1)
      await client.stop()
      await client.stop()
      expect(client.state).toBe('stopped')
    })
    const script = (): Response => new Response('no', { status: 400 })
    await withRig({ script }, async ({ client }) => {
      await errorOf(client.start())
      expect(client.state).toBe('failed')
      await client.stop()
      expect(client.state).toBe('stopped')
    })
  })

  it('send() to a client that is stopped or failed is refused instead of waiting for ever', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => org.held === 1)
      await client.stop()
      const sent = errorOf(client.send({ channel: '/service/x', data: 1 }))
      await clock.advance(60_000)
      expect(await Promise.race([sent, Promise.resolve('silence')])).toMatchObject({ code: 'not_started' })
    })
  })

  it('send() of what is no JSON is refused, and the session does not notice', async () => {
    await withRig({}, async ({ client, org, clock, said }) => {
      begin(client)
      await clock.runUntil(() => org.held === 1)
      expect(await errorOf(client.send({ channel: '/service/x', data: 1n }))).toMatchObject({ code: 'bad_option' })
      await clock.advance(60_000)
      expect(said('retry')).toEqual([])
    })
  })

  it('subscribe() while the client stops is refused, and nothing starts again', async () => {
    await withRig({ script: ({ what }) => (what === 'disconnect' ? 'hold' : undefined) }, async ({ client, org, clock }) => {
      read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      const stopping = client.stop()
      expect(() => client.subscribe('/event/Other__e')).toThrow(expect.objectContaining({ code: 'client_stopped' }))
      await Promise.all([stopping, clock.advance(10_000)])
      expect(org.of('handshake')).toHaveLength(1)
      expect(client.state).toBe('stopped')
      const again = client.subscribe('/event/Other__e')
      await clock.runUntil(() => org.held === 1)
      await again.ready
    })
  })

  it('so are org() and events() while the client stops: no session is begun again, and no loop is left waiting', async () => {
    await withRig({ script: ({ what }) => (what === 'disconnect' ? 'hold' : undefined) }, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => org.held === 1)
      const stopping = client.stop()
      expect(await errorOf(client.org())).toMatchObject({ code: 'client_stopped' })
      expect(() => client.events()).toThrow(expect.objectContaining({ code: 'client_stopped' }))
      await Promise.all([stopping, clock.advance(10_000)])
      expect(org.of('handshake')).toHaveLength(1)
      expect({ state: client.state, held: org.held }).toEqual({ state: 'stopped', held: 0 })
      // Afterwards both work again.
      void client.events()
      await client.org()
    })
  })

  it('the last of stop(), start(), stop() wins', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => org.held === 1)
      const first = client.stop()
      const started = errorOf(client.start())
      const second = client.stop()
      await Promise.all([first, second, clock.advance(60_000)])
      expect(client.state).toBe('stopped')
      expect(await started).toMatchObject({ code: 'client_stopped' })
      expect(org.held).toBe(0)
    })
  })

  it('stop() leaves no listener on the signal of the client, and the signal still works after another start()', async () => {
    const controller = new AbortController()
    await withRig({ signal: controller.signal }, async ({ client, org, clock }) => {
      for (let round = 0; round < 3; round++) {
        const { ended } = read(client.subscribe(channel))
        await clock.runUntil(() => org.held === 1)
        await client.stop()
        await ended
      }
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
      const { ended } = read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      const reason = new Error('enough')
      controller.abort(reason)
      expect(await ended).toBe(reason)
      await clock.advance(3_000)
      expect(client.state).toBe('stopped')
    })
  })

  it('an outgoing extension that throws on the goodbye does not keep the client running', async () => {
    const outgoing = (message: BayeuxMessage): BayeuxMessage => {
      if (message.channel === '/meta/disconnect') throw new Error('no goodbyes')
      return message
    }
    await withRig({ extensions: [{ outgoing }] }, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => org.held === 1)
      await client.stop()
      expect(client.state).toBe('stopped')
      expect(org.held).toBe(0)
    })
  })

  it('an outgoing extension that throws on subscribe is reported with a typed error', async () => {
    let broken = true
    const outgoing = (message: BayeuxMessage): BayeuxMessage => {
      if (broken && message.channel === '/meta/subscribe') throw new Error('not today')
      return message
    }
    await withRig({ extensions: [{ outgoing }] }, async ({ client, clock, said }) => {
      const subscription = client.subscribe(channel)
      await clock.runUntil(() => said('retry').length > 2)
      for (const { error } of said('retry')) expect(error).toMatchObject({ code: 'bad_reply', remediation: expect.any(String) })
      broken = false
      await clock.advance(60_000)
      await subscription.ready
    })
  })

  it('an incoming extension sees each message once', async () => {
    const seen: unknown[] = []
    const incoming = (message: BayeuxMessage): BayeuxMessage => {
      seen.push(message.id ?? (message.data as { event: { replayId: number } }).event.replayId)
      return message
    }
    await withRig({ extensions: [{ incoming }] }, async ({ client, org, clock }) => {
      read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(77))
      await clock.settle()
      expect(new Set(seen).size).toBe(seen.length)
      expect(seen).toContain(77)
    })
  })

  it('a shouldRetry that never answers does not silence the sessions that follow', async () => {
    const script = (request: Parameters<typeof refusal>[0], org: { of(what: string): unknown[] }): BayeuxMessage[] | undefined =>
      request.what === 'subscribe' && org.of('subscribe').length === 1 ? [refusal(request, '403::too busy')] : undefined
    await withRig(
      { script, retry: { subscribe: { shouldRetry: () => new Promise<boolean>(() => {}) } } },
      async ({ client, org, clock }) => {
        const reading = read(client.subscribe(channel))
        await clock.runUntil(() => org.held === 1)
        org.push({ channel: '/meta/disconnect' } as BayeuxMessage)
        await clock.advance(5_000)
        await clock.runUntil(() => org.held === 1)
        org.push(platformEvent(1))
        await clock.settle()
        expect(reading.ids).toEqual([1])
      },
    )
  })

  it('the transport is closed with the client', async () => {
    let closed = 0
    await withRig({}, async ({ org, clock }) => {
      const { createClient } = await import('../../src/index.ts')
      const client = createClient({
        auth: org.session,
        platform: { now: clock.now, delay: clock.delay, random: clock.random },
        transport: {
          async exchange({ url, headers, body, signal }) {
            const response = await org.fetch(url, { headers, body, signal })
            const text = await response.text()
            return { status: response.status, header: () => undefined, text }
          },
          close: () => {
            closed++
            throw new Error('closing failed')
          },
        },
      })
      begin(client)
      await clock.runUntil(() => org.held === 1)
      await client.stop()
      expect(closed).toBe(1)
    })
  })

  it('subscriptions that have ended are let go of', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      begin(client)
      await clock.runUntil(() => org.held === 1)
      const refs: WeakRef<object>[] = []
      for (let round = 0; round < 20; round++) {
        const subscription = client.subscribe(channel)
        await clock.settle()
        await Promise.all([subscription.close(), clock.settle()])
        refs.push(new WeakRef(subscription))
      }
      await clock.settle()
      await collect()
      expect(refs.filter((ref) => ref.deref()).length).toBeLessThan(5)
    })
  })

  it('so is a reply once its events are taken, though the next one may be hours away', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      const refs: WeakRef<object>[] = []
      const over = (async () => {
        for await (const { message } of client.subscribe(channel)) refs.push(new WeakRef(message))
      })()
      await clock.runUntil(() => org.held === 1)
      org.push(...Array.from({ length: 20 }, (_, at) => platformEvent(at + 1)))
      await clock.settle()
      expect(refs).toHaveLength(20)
      await collect()
      expect(refs.filter((ref) => ref.deref()).length).toBeLessThan(5)
      await client.stop()
      await over
    })
  })

  it('a token that cannot be replaced does not keep a client in the login while the org answers again', async () => {
    let down = true
    const script = (): Response | undefined => (down ? new Response('<html>We are down for maintenance</html>') : undefined)
    await withRig({ script }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.advance(10 * 60_000)
      down = false
      await clock.runUntil(() => org.held === 1, 10 * 60_000)
      org.push(platformEvent(1))
      await clock.settle()
      expect(reading.ids).toEqual([1])
    })
  })

  it('advice to stop ends a client that has no other token, with a typed error', async () => {
    const script = ({ what, messages }: { what: string; messages: BayeuxMessage[] }): Response | undefined =>
      what === 'connect'
        ? json([{ channel: '/meta/connect', id: messages[0]?.id, successful: true, advice: { reconnect: 'none' } }])
        : undefined
    await withRig({ script }, async ({ client, org, clock }) => {
      const { ended } = read(client.subscribe(channel))
      await clock.advance(60 * 60_000)
      expect(client.state).toBe('failed')
      expect(await ended).toMatchObject({ code: expect.stringMatching(/session_lost|server_stopped/) })
      expect(org.of('handshake').length).toBeLessThan(3)
    })
  })

  it('a broken poll does not end a client with more channels than one request can give back', async () => {
    const { createMockOrg, virtualClock } = await import('@sfstream/mock-org')
    const { createClient } = await import('../../src/index.ts')
    const clock = virtualClock()
    const org = createMockOrg({ clock })
    const client = createClient({
      auth: org.session(),
      platform: { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random },
    })
    const names = Array.from({ length: 300 }, (_, at) => `/u/notifications/${'x'.repeat(60)}${at}`)
    let ready = 0
    const subscriptions = names.map((name) => client.subscribe(name))
    for (const { ready: accepted } of subscriptions)
      accepted.then(
        () => ready++,
        () => {},
      )
    await clock.runUntil(() => ready === names.length)
    await clock.advance(20_000)
    org.faults.cutConnections()
    await clock.advance(5 * 60_000)
    expect(client.state).toBe('live')
    expect(Object.keys(org.inspect.subscriptions)).toHaveLength(names.length)
    await Promise.all([client.stop(), clock.advance(3_000)])
    expect(clock.pending).toBe(0)
  })
})

describe('stores that misbehave', () => {
  const store = (overrides: Partial<ReplayStore>): ReplayStore => ({
    load: () => Promise.resolve(undefined),
    save: () => Promise.resolve(),
    ...overrides,
  })

  it.each([
    ['a word', 'banana'],
    ['a number', 5],
    ['nothing', {}],
    ['a negative id', { replayId: -2 }],
  ])('a stored position that is %s is refused before it is sent', async (_, garbage) => {
    await withRig({ replayStore: store({ load: () => Promise.resolve(garbage as never) }) }, async ({ client, org, clock }) => {
      const { ended } = read(client.subscribe(channel))
      await clock.advance(60_000)
      expect(await ended).toMatchObject({ name: 'ReplayError', code: expect.stringMatching(/store_unreadable|bad_replay/) })
      expect(org.of('subscribe')).toEqual([])
    })
  })

  it('a load that never settles is not waited for in silence', async () => {
    await withRig({ replayStore: store({ load: () => new Promise(() => {}) }) }, async ({ client, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.advance(60_000)
      expect(reading.over).toBe(true)
      expect(await reading.ended).toMatchObject({ code: 'store_unreadable' })
    })
  })

  it('a save that never settles is reported, and does not keep stop() waiting for ever', async () => {
    await withRig({ replayStore: store({ save: () => new Promise(() => {}) }) }, async ({ client, org, clock, said }) => {
      read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(1), platformEvent(2))
      await clock.advance(60_000)
      expect(said('storeFailed').length).toBeGreaterThan(0)
      const stopped = errorOf(client.stop())
      await clock.advance(120_000)
      expect(await Promise.race([stopped, Promise.resolve('silence')])).toMatchObject({ code: 'store_failed' })
    })
  })

  it('an event committed after stop() leaves no timer behind, even where the store fails', async () => {
    await withRig(
      { commit: 'manual', replayStore: store({ save: () => Promise.reject(new Error('disk full')) }) },
      async ({ client, org, clock }) => {
        const { events } = read(client.subscribe(channel))
        await clock.runUntil(() => org.held === 1)
        org.push(platformEvent(1))
        await clock.settle()
        await Promise.all([client.stop(), clock.advance(3_000)])
        expect(await errorOf(events[0]?.commit() ?? Promise.resolve())).toMatchObject({ code: 'store_failed' })
        await clock.settle()
        expect(clock.pending).toBe(0)
      },
    )
  })

  it('commit() of an event behind an unfinished one does not claim to be durable when the client stops', async () => {
    const saved: unknown[] = []
    await withRig(
      { commit: 'manual', replayStore: store({ save: (_key, position) => Promise.resolve(void saved.push(position.replayId)) }) },
      async ({ client, org, clock }) => {
        const { events } = read(client.subscribe(channel))
        await clock.runUntil(() => org.held === 1)
        org.push(platformEvent(1), platformEvent(2))
        await clock.settle()
        const second = errorOf(events[1]?.commit() ?? Promise.resolve())
        await Promise.all([client.stop(), clock.advance(3_000)])
        expect(await second).toMatchObject({ code: 'client_stopped' })
        expect(saved).toEqual([])
      },
    )
  })

  it('events committed in bulk by hand bring a paused channel back', async () => {
    await withRig({ commit: 'manual' }, async ({ client, org, clock, said }) => {
      const { events } = read(client.subscribe(channel, { maxBuffered: 100_000 }))
      for (let batch = 0; batch < 6; batch++) {
        await clock.runUntil(() => org.held === 1, 3_600_000)
        org.push(...Array.from({ length: 2_000 }, (_, at) => platformEvent(batch * 2_000 + at + 1)))
        await clock.settle()
      }
      await clock.advance(60_000)
      expect(said('paused').length).toBeGreaterThan(0)
      const subscribes = org.of('subscribe').length
      for (const event of events) void event.commit()
      await clock.advance(60_000)
      expect(org.of('subscribe').length).toBe(subscribes + 1)
    })
  })
})
