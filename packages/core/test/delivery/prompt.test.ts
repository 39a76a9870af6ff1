import { virtualClock } from '@sfstream/mock-org'
import { describe, expect, test } from 'vitest'
import { type CommonOptions, createClient, type OrgSession } from '../../src/index.ts'
import { countedSignal, event, recordingStore, stateOf } from '../support/delivery-bench.ts'
import { type Script, scriptedOrg } from '../support/scripted-org.ts'

const channel = '/event/Order__e'

interface State {
  script?: (request: Parameters<Script>[0]) => ReturnType<Script> | undefined
  auth?: () => Promise<OrgSession>
  store?: Partial<ReturnType<typeof recordingStore>>
  /** Brings the client there, once it has been left alone. */
  arrange?: (org: ReturnType<typeof scriptedOrg>) => void
}
const hold =
  (what: string) =>
  (request: Parameters<Script>[0]): 'hold' | undefined =>
    request.what === what ? 'hold' : undefined

const states: Record<string, State> = {
  authenticating: { auth: () => new Promise(() => {}) },
  handshaking: { script: hold('handshake') },
  'waiting to retry': { script: ({ what }) => (what === 'handshake' ? new Response('', { status: 503 }) : undefined) },
  'the first connect': { script: (request) => (request.what === 'connect' ? 'hold' : undefined) },
  polling: {},
  'reading a body': {
    script: (request) =>
      request.what === 'connect' && !request.messages[0]?.advice
        ? new Response(new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode('[')) }))
        : undefined,
  },
  subscribing: { script: hold('subscribe') },
  'waiting to subscribe again': {
    script: ({ what, messages }) =>
      what === 'subscribe'
        ? [
            {
              channel: '/meta/subscribe',
              id: messages[0]?.id as string,
              successful: false,
              subscription: channel,
              error: '503::Server is too busy',
            },
          ]
        : undefined,
  },
  'store loading': { store: { onLoad: () => new Promise(() => {}) } },
  'full, its poll held': { arrange: (org) => org.push(event(1), event(2), event(3)) },
}

describe.each(Object.keys(states))('prompt: %s', (name) => {
  const { script, auth, store, arrange } = states[name] as State
  const arrive = async (options: Partial<CommonOptions> = {}, signal?: AbortSignal) => {
    const clock = virtualClock()
    const org = scriptedOrg(clock.now, (request) => script?.(request))
    const client = createClient({
      auth: auth ?? org.session,
      platform: { fetch: org.fetch, now: clock.now, delay: clock.delay, random: () => 0.9 },
      replayStore: Object.assign(recordingStore(), store),
      ...options,
    })
    const subscription = client.subscribe(channel, { maxBuffered: 2, ...(signal ? { signal } : {}) })
    const iterator = subscription[Symbol.asyncIterator]()
    // One waits, unless events are to stay in the buffer.
    const parked = arrange ? undefined : iterator.next()
    parked?.catch(() => {})
    await clock.settle()
    arrange?.(org)
    await clock.settle()
    return { clock, org, client, subscription, iterator, parked }
  }
  const nothingLeft = async ({ clock, client, org }: Awaited<ReturnType<typeof arrive>>): Promise<void> => {
    const stopped = client.stop()
    await clock.advance(2_000)
    await stopped
    expect({ timers: clock.pending, polls: org.held }).toEqual({ timers: 0, polls: 0 })
  }

  test('abort of the subscription', async () => {
    const counted = countedSignal()
    const arrived = await arrive({}, counted.signal)
    const reason = new Error('now')
    counted.controller.abort(reason)
    expect(await stateOf(arrived.clock, arrived.parked ?? arrived.iterator.next())).toEqual({ rejected: reason })
    expect(counted.listeners).toBe(0)
    await nothingLeft(arrived)
  })

  test('abort of the client', async () => {
    const counted = countedSignal()
    const arrived = await arrive({ signal: counted.signal })
    const reason = new Error('now')
    counted.controller.abort(reason)
    expect(await stateOf(arrived.clock, arrived.parked ?? arrived.iterator.next())).toEqual({ rejected: reason })
    await nothingLeft(arrived)
    expect(counted.listeners).toBe(0)
  })

  test('return(), close() and stop()', async () => {
    for (const how of ['return', 'close', 'stop'] as const) {
      const arrived = await arrive()
      const { clock, iterator, subscription, client, parked } = arrived
      const ended = how === 'return' ? iterator.return?.() : how === 'close' ? subscription.close() : client.stop()
      const outcomes = Promise.all([stateOf(clock, parked ?? iterator.next()), stateOf(clock, ended as Promise<unknown>)])
      const [loop, call] = await outcomes
      expect(loop).toEqual({ resolved: { value: undefined, done: true } })
      // A session that is being made is waited for, to be ended: 2 s at most.
      if (how !== 'stop' || name !== 'handshaking') expect(call).not.toBe('pending')
      await nothingLeft(arrived)
    }
  })
})

test('prompt: a save under way delays close() and stop(), and no loop', async () => {
  const clock = virtualClock()
  const org = scriptedOrg(clock.now)
  let land = (): void => {}
  const store = Object.assign(recordingStore(), {
    onSave: () =>
      new Promise<void>((resolve) => {
        land = resolve
      }),
  })
  const client = createClient({
    auth: org.session,
    platform: { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random },
    replayStore: store,
  })
  const iterator = client.subscribe(channel)[Symbol.asyncIterator]()
  await clock.runUntil(() => org.held === 1)
  org.push(event(1))
  await iterator.next()
  const parked = iterator.next()
  await clock.settle()
  const stopping = client.stop()
  expect(await stateOf(clock, parked)).toEqual({ resolved: { value: undefined, done: true } })
  expect(await stateOf(clock, stopping)).toBe('pending')
  land()
  expect(await stateOf(clock, stopping)).toEqual({ resolved: undefined })
  expect(clock.pending).toBe(0)
})
