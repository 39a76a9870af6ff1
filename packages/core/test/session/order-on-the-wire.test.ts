import { describe, expect, it } from 'vitest'
import { deferred } from '../../src/async/deferred.ts'
import { begin, inTurn, read, refusal, withRig } from '../support/rig.ts'
import { json, platformEvent, type ScriptedOrg, type SeenRequest } from '../support/scripted-org.ts'

const first = '/event/First__e'
const second = '/event/Second__e'

const positionsAsked = (requests: readonly SeenRequest[], channel: string): unknown[] =>
  requests
    .flatMap(({ messages }) => messages)
    .filter(({ subscription }) => subscription === channel)
    .map(({ ext }) => (ext?.replay as Record<string, unknown> | undefined)?.[channel])

/** A long event, and a refusal with neither `advice` nor `successful: false`: it looks clean. */
const odd = (request: SeenRequest) => [
  platformEvent(1, first, { Text__c: 'x'.repeat(10_000) }),
  { channel: '/meta/connect', id: request.messages[0]?.id as string, error: '400::odd' },
]

describe('what may overtake what', () => {
  it('a connect that left early is taken back when the reply before it turns out to be a refusal [PROTOCOL C5]', async () => {
    await withRig({ script: inTurn('connect', [undefined, odd]) }, async ({ client, org, clock, said }) => {
      begin(client)
      await clock.runUntil(() => said('retry').length === 1)
      await clock.settle()
      expect(org.of('connect')).toHaveLength(3)
      expect(org.held).toBe(0)
      await clock.runUntil(() => org.held === 1)
      expect(org.of('connect').filter(({ messages }) => messages[0]?.advice !== undefined)).toHaveLength(2)
    })
  })

  it('before a retry policy has judged the refusal, too', async () => {
    const judged = deferred<boolean>()
    const retry = { connect: { shouldRetry: () => judged.promise } }
    await withRig({ script: inTurn('connect', [undefined, odd]), retry }, async ({ client, org, clock, said }) => {
      begin(client)
      const reading = read(client.subscribe(first))
      await clock.runUntil(() => reading.ids.length === 1)
      await clock.settle()
      expect(said('retry')).toHaveLength(0)
      expect(org.of('connect')).toHaveLength(3)
      expect(org.held).toBe(0)
      judged.resolve(true)
      await clock.runUntil(() => org.held === 1)
    })
  })

  it('and what it may have taken with it is asked for again [PROTOCOL C7]', async () => {
    // The poll that left early: the org gives it an event, and holds it no more.
    const brings = (request: SeenRequest, org: ScriptedOrg) => [platformEvent(2, first), ...org.friendly(request)]
    await withRig({ script: inTurn('connect', [undefined, odd, brings]) }, async ({ client, org, clock, said }) => {
      const reading = read(client.subscribe(first))
      await clock.runUntil(() => said('retry').length === 1)
      await clock.advance(60_000)
      expect(reading.ids).toEqual([1])
      expect(positionsAsked(org.of('subscribe'), first)).toEqual([-1, 1])
    })
  })

  it('after a failed poll everything is unsubscribed before a connect is sent [PROTOCOL C7]', async () => {
    await withRig({ script: inTurn('connect', [undefined, () => new Error('reset')]) }, async ({ client, org, clock }) => {
      read(client.subscribe(first))
      await clock.runUntil(() => org.of('subscribe').length === 2 && org.held === 1)
      const kinds = org.requests.map(({ what }) => what)
      expect(kinds.slice(kinds.indexOf('unsubscribe'))).toEqual(['unsubscribe', 'connect', 'subscribe', 'connect'])
    })
  })

  it('besides the connect at most one request is out, and what was wanted meanwhile shares the next [PROTOCOL B2]', async () => {
    const answered = deferred<void>()
    const slow = async (request: SeenRequest, org: { friendly(request: SeenRequest): unknown[] }): Promise<Response> => {
      await answered.promise
      return json(org.friendly(request))
    }
    await withRig({ script: inTurn('subscribe', [slow]) }, async ({ client, org, clock }) => {
      read(client.subscribe(first))
      await clock.runUntil(() => org.of('subscribe').length === 1)
      read(client.subscribe(second))
      read(client.subscribe('/event/Third__e'))
      await clock.settle()
      expect(org.of('subscribe')).toHaveLength(1)
      answered.resolve()
      await clock.runUntil(() => org.held === 1)
      expect(org.of('subscribe').map(({ messages }) => messages.length)).toEqual([1, 2])
    })
  })

  it('events that a connect brings before the reply to their subscribe wait for it [PROTOCOL U6]', async () => {
    const answered = deferred<void>()
    const slow = async (request: SeenRequest, org: { friendly(request: SeenRequest): unknown[] }): Promise<Response> => {
      await answered.promise
      return json([platformEvent(5, second), ...org.friendly(request)])
    }
    await withRig({ script: inTurn('subscribe', [undefined, slow]) }, async ({ client, org, clock }) => {
      read(client.subscribe(first))
      await clock.runUntil(() => org.held === 1)
      const reading = read(client.subscribe(second))
      await clock.runUntil(() => org.of('subscribe').length === 2)
      org.push(platformEvent(6, second))
      await clock.settle()
      expect(reading.ids).toEqual([])
      answered.resolve()
      await clock.runUntil(() => reading.ids.length === 2)
      expect(reading.ids).toEqual([5, 6])
    })
  })

  it('events on the reply to another channel’s subscribe may precede those of the held poll: they are asked for again [PROTOCOL U9]', async () => {
    const script = inTurn('subscribe', [undefined, (request, org) => [platformEvent(2, first), ...org.friendly(request)]])
    await withRig({ script }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(first))
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(1, first))
      await clock.runUntil(() => reading.ids.length === 1 && org.held === 1)
      read(client.subscribe(second))
      await clock.runUntil(() => positionsAsked(org.of('subscribe'), first).length === 2)
      expect(reading.ids).toEqual([1])
      expect(positionsAsked(org.of('subscribe'), first)).toEqual([-1, 1])
    })
  })

  it('nor while a refused connect waits to be tried again: a channel that has to be asked for anew waits for that one', async () => {
    const refused = (request: SeenRequest) => [refusal(request, '400::odd', { advice: { reconnect: 'retry' } })]
    // An org whose events come with whatever reply leaves first, a subscribe's own included.
    const brings = (request: SeenRequest, org: ScriptedOrg) => [platformEvent(2, first), ...org.friendly(request)]
    const refusing = inTurn('connect', [undefined, undefined, refused])
    const bringing = inTurn('unsubscribe', [brings])
    const replaying = inTurn('subscribe', [undefined, ...Array(100).fill(brings)])
    const script = (request: SeenRequest, org: ScriptedOrg) => refusing(request, org) ?? bringing(request, org) ?? replaying(request, org)
    const retry = { connect: { baseMs: 5_000, jitter: 'none' as const } }
    await withRig({ script, retry }, async ({ client, org, clock, said }) => {
      const reading = read(client.subscribe(first))
      const other = client.subscribe(second)
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(1, first))
      await clock.runUntil(() => said('retry').length === 1)
      void other.close()
      await clock.advance(4_500)
      expect(org.of('unsubscribe')).toHaveLength(1)
      expect(org.of('subscribe')).toHaveLength(1)
      await clock.runUntil(() => org.held === 1)
      expect(org.of('subscribe')).toHaveLength(2)
      expect(reading.ids).toEqual([1, 2])
    })
  })

  it.each([
    ['refuses', (request: SeenRequest) => [refusal(request, '400::no')]],
    ['leaves without an answer', () => [{ channel: '/meta/unsubscribe', id: 'other', subscription: '/other', successful: true }]],
  ])('a channel whose unsubscribe the org %s is wanted again in another session only [PROTOCOL U8]', async (_, answer) => {
    const refusing = inTurn('unsubscribe', [answer])
    // It has kept the channel: what happens now comes before what is replayed, wherever the subscribe is its first session's.
    const replaying = (request: SeenRequest, org: ScriptedOrg) => {
      if (request.what !== 'subscribe' || request.messages[0]?.subscription !== second) return undefined
      if (org.of('handshake').length === 1 && positionsAsked(org.of('subscribe'), second).length === 2) org.push(platformEvent(5, second))
      return org.friendly(request)
    }
    const script = (request: SeenRequest, org: ScriptedOrg) => refusing(request, org) ?? replaying(request, org)
    await withRig({ script }, async ({ client, org, clock, statuses }) => {
      read(client.subscribe(first))
      const leaving = client.subscribe(second)
      const before = read(leaving)
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(1, second))
      await clock.runUntil(() => before.ids.length === 1 && org.held === 1)
      await Promise.all([leaving.close(), clock.runUntil(() => org.of('unsubscribe').length === 1)])
      // A poll that brings nothing: by this alone the channel could be asked for again.
      org.push()
      await clock.runUntil(() => org.held === 1)
      const reading = read(client.subscribe(second, { replay: 1 }))
      await clock.runUntil(() => positionsAsked(org.of('subscribe'), second).length === 2 && org.held === 1)
      for (const id of [2, 3, 4, 5]) org.push(platformEvent(id, second))
      await clock.runUntil(() => reading.ids.at(-1) === 5)
      expect(reading.ids).toEqual([2, 3, 4, 5])
      expect(statuses.filter(({ type }) => type === 'rehandshake')).toMatchObject([{ delayMs: 0 }])
      expect(org.of('handshake')).toHaveLength(2)
    })
  })

  it('a subscribe that is not answered keeps the next connect back for 26 s, not for ever [PROTOCOL H5, B1]', async () => {
    await withRig({ script: inTurn('subscribe', [undefined, () => 'hold']) }, async ({ client, org, clock }) => {
      read(client.subscribe(first))
      await clock.runUntil(() => org.held === 1)
      read(client.subscribe(second))
      await clock.runUntil(() => org.of('subscribe').length === 2)
      const connects = org.of('connect').length
      org.push(platformEvent(1, first))
      await clock.advance(24_000)
      expect(org.of('connect')).toHaveLength(connects)
      await clock.advance(2_500)
      expect(org.of('connect')).toHaveLength(connects + 1)
    })
  })
})
