import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { bench, channel, event } from '../support/delivery-bench.ts'

const order = v.object({ n: v.pipe(v.number(), v.transform(String)), total: v.number() })
const slow = v.objectAsync({
  n: v.number(),
  total: v.pipeAsync(
    v.number(),
    v.checkAsync(async (total) => (await Promise.resolve(total)) > 0, 'is too low'),
  ),
})
const good = (n: number): ReturnType<typeof event> => event(n, { total: 1 })
const bad = (n: number): ReturnType<typeof event> => event(n, { total: 'much' })

describe('schemas', () => {
  test('what a schema makes of a payload is what the loop gets; the message stays as it came', async () => {
    const { client, source, clock } = bench()
    const iterator = client.subscribe(channel, { schema: order })[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply([good(1)])
    const { value } = await iterator.next()
    expect(value).toMatchObject({ replayId: 1, kind: 'platform-event', payload: { n: '1', total: 1 }, message: good(1) })
  })

  test.each([
    ['sync', order],
    ['async', slow],
  ])(
    'throw (%s): the iterator rejects after the events before; the event is not committed, and none after it is handed out',
    async (_, schema) => {
      const { client, source, clock, store, told } = bench()
      const iterator = client.subscribe(channel, { schema: schema as typeof order })[Symbol.asyncIterator]()
      await clock.settle()
      source.feed.reply([good(1), good(2), bad(3), good(4)])
      await clock.settle()
      expect((await iterator.next()).value).toMatchObject({ replayId: 1 })
      expect((await iterator.next()).value).toMatchObject({ replayId: 2 })
      await expect(iterator.next()).rejects.toMatchObject({
        name: 'ProtocolError',
        code: 'invalid_event',
        channel,
        message: expect.stringContaining('total: '),
      })
      expect(await iterator.next()).toEqual({ value: undefined, done: true })
      await client.stop()
      expect(store.at()).toMatchObject({ replayId: 2 })
      expect(told('subscriptionFailed')).toHaveLength(1)
      expect(source.openFeeds).toEqual([])
    },
  )

  test('skip: committed and reported, in order', async () => {
    const { client, source, clock, store, told } = bench()
    const iterator = client.subscribe(channel, { schema: order, onInvalid: 'skip' })[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply([bad(1), good(2), bad(3), bad(4)])
    expect((await iterator.next()).value).toMatchObject({ replayId: 2 })
    await clock.settle()
    expect(store.at()).toMatchObject({ replayId: 1 })
    expect(told('invalidEvent').map(({ replayId }) => replayId)).toEqual([1, 3, 4])
    void iterator.next()
    await clock.settle()
    expect(store.at()).toMatchObject({ replayId: 4 })
    await client.stop()
  })

  test('raw: handed out as it is', async () => {
    const { client, source, clock } = bench()
    const iterator = client.subscribe(channel, { schema: order, onInvalid: 'raw' })[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply([bad(1)])
    expect((await iterator.next()).value).toMatchObject({ payload: { n: 1, total: 'much' } })
  })

  test('asynchronous schemas keep the order, in events() too, and what they hold counts as buffered', async () => {
    const { client, source, clock } = bench()
    const release: (() => void)[] = []
    const validate = (value: unknown): Promise<{ value: never }> =>
      new Promise((resolve) => release.push(() => resolve({ value: value as never })))
    const subscription = client.subscribe(channel, { schema: { '~standard': { version: 1, vendor: 'test', validate } }, maxBuffered: 2 })
    const loop = client.events()
    const parked = loop.next()
    await clock.settle()
    source.feed.reply([good(1), good(2), good(3)])
    await clock.settle()
    expect(subscription.stats.buffered).toBe(3)
    expect(source.holds).toBe(1)
    for (let times = 0; times < 3; times++) {
      release.shift()?.()
      await clock.settle()
    }
    expect((await parked).value).toMatchObject({ replayId: 1 })
    expect((await loop.next()).value).toMatchObject({ replayId: 2 })
    expect((await loop.next()).value).toMatchObject({ replayId: 3 })
  })

  test.each([
    ['the event checked last goes to a loop that waits', (value: unknown) => ({ value }), undefined],
    ['the events checked last are left out, and no position is kept', () => ({ issues: [{ message: 'odd' }] }), null],
  ] as const)('a channel that their events have filled flows again when they are checked: %s', async (_, judge, replayStore) => {
    const { client, source, clock } = bench(replayStore === undefined ? {} : { replayStore })
    const release: (() => void)[] = []
    const validate = (value: unknown): Promise<ReturnType<typeof judge>> =>
      new Promise((resolve) => release.push(() => resolve(judge(value))))
    const schema = { '~standard': { version: 1 as const, vendor: 'test', validate } }
    const iterator = client.subscribe(channel, { schema, onInvalid: 'skip', maxBuffered: 1 })[Symbol.asyncIterator]()
    void iterator.next()
    await clock.settle()
    source.feed.reply([good(1), good(2)])
    await clock.settle()
    expect(source.holds).toBe(1)
    release.shift()?.()
    await clock.settle()
    void iterator.next()
    release.shift()?.()
    await clock.settle()
    expect(source.holds).toBe(0)
  })

  test('askStop() and a fault wait for checks that are under way', async () => {
    const { client, source, clock } = bench()
    const iterator = client.subscribe(channel, { schema: slow })[Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply([good(1), good(2)])
    const first = iterator.next()
    await first
    client.askStop()
    expect((await iterator.next()).value).toMatchObject({ replayId: 2 })
    expect(await iterator.next()).toEqual({ value: undefined, done: true })
  })

  test('askStop() waits for them in events() too', async () => {
    const { client, source, clock, store } = bench()
    const release: (() => void)[] = []
    const validate = (value: unknown): Promise<{ value: unknown }> => new Promise((resolve) => release.push(() => resolve({ value })))
    client.subscribe(channel, { schema: { '~standard': { version: 1, vendor: 'test', validate } } })
    const seen: unknown[] = []
    const loop = (async () => {
      for await (const { replayId } of client.events()) seen.push(replayId)
    })()
    await clock.settle()
    source.feed.reply([good(1), good(2)])
    await clock.settle()
    client.askStop()
    for (let times = 0; times < 2; times++) {
      release.shift()?.()
      await clock.settle()
    }
    await loop
    expect(seen).toEqual([1, 2])
    expect(store.at()).toMatchObject({ replayId: 2 })
  })

  test('a schema that breaks rejects with its own error', async () => {
    const { client, source, clock } = bench()
    const validate = (): never => {
      throw new Error('bug')
    }
    const iterator = client
      .subscribe(channel, { schema: { '~standard': { version: 1, vendor: 'test', validate } } })
      [Symbol.asyncIterator]()
    await clock.settle()
    source.feed.reply([good(1)])
    await expect(iterator.next()).rejects.toThrow('bug')
  })
})
