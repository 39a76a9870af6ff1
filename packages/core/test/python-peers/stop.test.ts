import { describe, expect, it } from 'vitest'
import { parseErrorText } from '../../src/bayeux/wire/fault.ts'
import type { BayeuxMessage } from '../../src/index.ts'
import { begin, errorOf, gather, inTurn, read, refusal, spyStore, withRig } from '../support/rig.ts'
import { platformEvent } from '../support/scripted-org.ts'

const channel = '/event/Order__e'

describe('python peers: stop, dispose, errors', () => {
  it('P75 the order on the wire of a whole run, with ids in order and the clientId on all but the first', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      const readings = [read(client.subscribe('/topic/Foo')), read(client.subscribe('/topic/Bar'))]
      for (let id = 1; id <= 4; id++) {
        await clock.runUntil(() => org.held === 1)
        org.push(platformEvent(id, id % 2 ? '/topic/Foo' : '/topic/Bar'))
      }
      await clock.runUntil(() => org.held === 1)
      await Promise.all([client.unsubscribe('/topic/Foo'), clock.settle()])
      await Promise.all([client.unsubscribe('/topic/Bar'), clock.settle()])
      await client.stop()
      const sent = org.requests.flatMap(({ messages }) => messages)
      // Both subscribes share a request; our first connect asks not to be held, so there is one more than the seed's five.
      expect(
        sent.map(({ channel: name, subscription }) => [String(name).replace('/meta/', ''), subscription].filter(Boolean).join(' ')),
      ).toEqual([
        'handshake',
        'subscribe /topic/Foo',
        'subscribe /topic/Bar',
        ...Array(6).fill('connect'),
        'unsubscribe /topic/Foo',
        'unsubscribe /topic/Bar',
        'disconnect',
      ])
      expect(sent.map(({ id }) => id)).toEqual(sent.map((_, at) => String(at + 1)))
      expect(sent.map(({ clientId }) => clientId)).toEqual([undefined, ...sent.slice(1).map(() => 'client1')])
      expect(org.requests).toHaveLength(sent.length - 1)
      expect(readings.map(({ ids }) => ids)).toEqual([
        [1, 3],
        [2, 4],
      ])
    })
  })

  // The seed drops the rest of the batch. Those events are ours already: the loop gets them, then ends, and nothing new is taken in.
  it('P76 askStop inside the loop: what is buffered is finished, nothing later is yielded, and what is not yielded is not stored', async () => {
    const replayStore = spyStore()
    await withRig({ replayStore }, async ({ client, org, clock }) => {
      const ids: unknown[] = []
      let over = false
      void (async () => {
        for await (const event of client.subscribe(channel)) {
          ids.push(event.replayId)
          if (event.replayId === 2) client.askStop()
        }
        over = true
      })()
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(1), platformEvent(2), platformEvent(3))
      await clock.runUntil(() => over)
      org.push(platformEvent(4))
      await clock.settle()
      expect(ids).toEqual([1, 2, 3])
      expect(replayStore.positions.get(channel)).toMatchObject({ replayId: 3 })
    })
  })

  it('P76 askStop ends events() and every loop, and a parked one at once', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      client.subscribe('/topic/Merged')
      const readings = [read(client.subscribe(channel)), read(client.events())]
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(1), platformEvent(2, '/topic/Merged'))
      await clock.settle()
      client.askStop()
      await clock.settle()
      expect(readings.map(({ over, ids }) => [over, ids])).toEqual([
        [true, [1]],
        [true, [2]],
      ])
    })
  })

  it('P77 stop while a poll is held aborts it, says goodbye and ends, without a moment’s wait', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      const poll = org.of('connect').at(-1)
      const before = clock.now()
      await client.stop()
      expect(clock.now()).toBe(before)
      expect(poll?.signal.aborted).toBe(true)
      expect(org.of('disconnect').map(({ messages }) => messages)).toEqual([
        [{ channel: '/meta/disconnect', id: expect.any(String), clientId: 'client1' }],
      ])
      expect(await reading.ended).toBeUndefined()
      expect(org.held).toBe(0)
      expect(clock.pending).toBe(0)
      expect(client.state).toBe('stopped')
    })
  })

  it('the goodbye, and nothing else, may outlive its page [PROTOCOL T5]', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      await client.stop()
      await reading.ended
      expect(org.requests.filter(({ keepalive }) => keepalive).map(({ what }) => what)).toEqual(['disconnect'])
    })
  })

  it('P77 events still buffered at a stop are not finished: the position stays before them', async () => {
    const replayStore = spyStore()
    await withRig({ replayStore }, async ({ client, org, clock }) => {
      const subscription = client.subscribe(channel)
      const iterator = subscription[Symbol.asyncIterator]()
      const first = iterator.next()
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(1), platformEvent(2), platformEvent(3))
      await first
      const second = await iterator.next()
      expect(second.value.replayId).toBe(2)
      await client.stop()
      expect(replayStore.positions.get(channel)).toMatchObject({ replayId: 1 })
      expect(await iterator.next()).toMatchObject({ done: true })
    })
  })

  it.each([
    ['fails', () => new TypeError('fetch failed')],
    ['is refused', () => new Response('', { status: 500 })],
    ['is never answered', () => 'hold' as const],
  ])('P78 stop resolves when the goodbye %s, within 2 s, and releases everything', async (_, answer) => {
    await withRig({ script: inTurn('disconnect', [answer]) }, async ({ client, org, clock }) => {
      read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      const before = clock.now()
      await Promise.all([client.stop(), clock.advance(2_000)])
      expect(clock.now() - before).toBeLessThanOrEqual(2_000)
      expect(clock.pending).toBe(0)
      expect(org.requests.at(-1)?.signal.aborted || answer() !== 'hold').toBe(true)
    })
  })

  it('P78 a start that fails at the handshake releases everything', async () => {
    const script = inTurn('handshake', [(request) => [refusal(request, '400::Unsupported API version')]])
    await withRig({ script }, async ({ client, org, clock }) => {
      const refused = errorOf(client.start())
      await clock.advance(10)
      expect(await refused).toMatchObject({ name: 'HandshakeError', code: 'bad_api_version' })
      expect(clock.pending).toBe(0)
      expect(org.held).toBe(0)
    })
  })

  it('P78 an error of the store at a stop rejects it, after everything is released', async () => {
    const replayStore = { load: () => Promise.resolve(undefined), save: () => Promise.reject(new Error('disk full')) }
    await withRig({ replayStore }, async ({ client, org, clock, said }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(1))
      await clock.runUntil(() => reading.events.length === 1)
      await clock.settle()
      expect(await errorOf(client.stop())).toMatchObject({ name: 'ReplayError', code: 'store_failed' })
      expect(said('storeFailed').length).toBeGreaterThan(0)
      expect(clock.pending).toBe(0)
      expect(client.state).toBe('stopped')
    })
  })

  it('P79 stop, then start, works again', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      for (const round of [1, 2, 3]) {
        begin(client)
        const reading = read(client.subscribe(channel))
        await clock.runUntil(() => org.held === 1)
        expect(client.state).toBe('live')
        org.push(platformEvent(round))
        await clock.runUntil(() => reading.events.length === 1)
        await client.stop()
        expect(await reading.ended).toBeUndefined()
        expect(org.of('handshake')).toHaveLength(round)
        expect(org.of('disconnect')).toHaveLength(round)
      }
      // Within a process, the memory store resumes where the last run ended.
      expect(org.of('subscribe').map(({ messages }) => messages[0]?.ext)).toEqual([-1, 1, 2].map((id) => ({ replay: { [channel]: id } })))
    })
  })

  it('P79 leaving the scope stops the client, also when the body throws', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      const scope = async (): Promise<void> => {
        try {
          client.subscribe(channel)
          await clock.runUntil(() => org.held === 1)
          throw new Error('the body failed')
        } finally {
          // What `await using` calls.
          await client[Symbol.asyncDispose]()
        }
      }
      expect((await errorOf(scope())).message).toBe('the body failed')
      expect(org.of('disconnect')).toHaveLength(1)
      expect([client.state, org.held, clock.pending]).toEqual(['stopped', 0, 0])
    })
  })

  it('P79 taps end with the client', async () => {
    await withRig({}, async ({ client, org, clock }) => {
      const messages: BayeuxMessage[] = []
      const over = gather(client.messages(), messages)
      begin(client)
      await clock.runUntil(() => org.held === 1)
      await client.stop()
      expect(await over).toBeUndefined()
    })
  })

  it.each([
    ['403:denied_by_security_policy:create_denied', { code: 403, args: ['denied_by_security_policy'], text: 'create_denied' }],
    ['401::Authentication invalid', { code: 401, args: [], text: 'Authentication invalid' }],
    ['405:a,b:c', { code: 405, args: ['a', 'b'], text: 'c' }],
    ['invalid', { text: 'invalid' }],
    ['', { text: '' }],
    ['12::', { text: '12::' }],
    ['1234::x', { text: '1234::x' }],
    ['403::', { code: 403, args: [], text: '' }],
    [
      "400::API version in the URI is mandatory. URI format: '/cometd/43.0'",
      { code: 400, args: [], text: "API version in the URI is mandatory. URI format: '/cometd/43.0'" },
    ],
    ['400::two\nlines: both', { code: 400, args: [], text: 'two\nlines: both' }],
  ])('P80 %j is taken apart', (text, expected) => {
    expect(parseErrorText(text)).toEqual(expected)
  })
})
