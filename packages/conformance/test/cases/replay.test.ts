import { memoryReplayStore, type ReplayKey, type ReplayPosition } from '@sfstream/core'
import { describe, expect, it } from 'vitest'
import { channel, orgBench } from './org-bench.ts'

const minuteMs = 60_000

describe('replay', () => {
  it.each(['all', 'new'] as const)(
    'C68 [S] a refused position, replayFallback %s: reported, and never sent again',
    async (replayFallback) => {
      const { org, client, clock, read, reports, publish, held } = orgBench({ replayFallback })
      const kept = publish(2)
      const reading = read(client.subscribe(channel, { replay: 1 }))
      await held()
      const [live] = publish()
      await clock.runUntil(() => reading.ids.includes(live!))
      expect(reading.ids).toEqual(replayFallback === 'all' ? [...kept, live] : [live])
      expect(reports('replayGap')).toMatchObject([{ channel, reason: 'position-refused', from: 1, to: replayFallback }])
      // A later session goes on from the last event, not from the refused position.
      org.faults.loseSessions()
      await clock.runUntil(() => org.inspect.handshakes === 2 && org.inspect.subscriptions[channel] === 1)
      expect(org.inspect.sessions.find(({ alive }) => alive)?.subscriptions[0]?.replay).toBe(live)
      expect(reports('replayGap').length).toBe(1)
    },
  )

  it('C68 [S] a refused position, replayFallback fail: the loop rejects', async () => {
    const { client, clock, read, reports } = orgBench({ replayFallback: 'fail' })
    const reading = read(client.subscribe(channel, { replay: 1 }))
    await clock.runUntil(() => reading.ended !== undefined)
    expect(reading.ended).toMatchObject({ name: 'ReplayError', code: 'replay_refused', channel, server: { code: 400 } })
    expect(reports('replayGap')).toEqual([])
  })

  it('C69 [S] no event yet, the session lost, gap: report: begins at new events, and says so', async () => {
    const { org, client, clock, read, reports, publish, held } = orgBench({ gap: 'report' })
    const reading = read(client.subscribe(channel))
    await held()
    org.faults.loseSessions()
    publish()
    await clock.runUntil(() => org.inspect.subscriptions[channel] === 1)
    expect(reports('replayGap')).toMatchObject([{ channel, reason: 'no-position', to: 'new' }])
    const [later] = publish()
    await clock.runUntil(() => reading.events.length > 0)
    expect(reading.ids).toEqual([later])
  })

  it('C69 [S] no event yet, the session lost, gap: replay: what was missed is found, what was before is not delivered', async () => {
    const { org, client, clock, read, reports, publish, held } = orgBench()
    publish(3)
    await clock.advance(30 * minuteMs)
    const reading = read(client.subscribe(channel))
    await held()
    org.faults.loseSessions()
    const [missed] = publish()
    await clock.runUntil(() => reading.events.length > 0)
    await clock.advance(minuteMs)
    expect(reading.ids).toEqual([missed])
    expect(reports('replayGap')).toEqual([])
  })

  it('C70 [S] what a new session brings again is dropped; ids beyond 2^53 keep their digits', async () => {
    const { org, client, clock, read, publish, held } = orgBench({}, { replayIds: { start: 9_007_199_254_740_993n } })
    const subscription = client.subscribe(channel)
    const reading = read(subscription)
    await held()
    const ids = publish(3)
    await clock.runUntil(() => reading.events.length === 3)
    // The org goes further back than it was asked to: the last two come again, then what is new.
    org.faults.next({
      on: 'subscribe',
      kind: 'rewrite',
      body: (text) => `[${ids.slice(1).map(eventText).join(',')},${text.slice(1)}`,
    })
    const eventText = (replayId: string): string => {
      const { message } = reading.events.find((event) => String(event.replayId) === replayId)!
      const { event, ...rest } = message.data as { event: { EventUuid: string } }
      return JSON.stringify({ channel, data: { ...rest, event: { EventUuid: event.EventUuid, replayId: 0 } } }).replace(
        '"replayId":0',
        `"replayId":${replayId}`,
      )
    }
    org.faults.loseSessions()
    await clock.runUntil(() => org.inspect.subscriptions[channel] === 1)
    const later = publish(2)
    await clock.runUntil(() => reading.events.length >= 5)
    expect(reading.ids).toEqual([...ids, ...later])
    expect(subscription.stats.duplicates).toBe(2)
    expect(org.inspect.sessions.find(({ alive }) => alive)?.subscriptions[0]?.replay).toBe(ids[2])
  })

  it('C70 [S] ids that come in another order, and an event that the org sends twice, are delivered as they come', async () => {
    const { org, client, clock, read, held } = orgBench()
    const reading = read(client.subscribe(channel))
    await held()
    for (const replayId of [30, 10, 20]) org.publish(channel, {}, { replayId })
    org.publish(channel, {}, { replayId: 40, eventUuid: 'twice' })
    org.publish(channel, {}, { replayId: 41, eventUuid: 'twice' })
    await clock.runUntil(() => reading.events.length === 5)
    expect(reading.ids).toEqual(['30', '10', '20', '40', '41'])
  })

  it('C71 [S] a slow store: one save at a time, the newest position last, the stream never waits', async () => {
    const saves: ReplayPosition[] = []
    let saving = 0
    let most = 0
    const { org, client, clock, read, publish, held } = orgBench({
      replayStore: {
        load: () => Promise.resolve(undefined),
        save: async (_key: ReplayKey, position: ReplayPosition) => {
          most = Math.max(most, ++saving)
          await new Promise<void>((resolve) => void org.clock.delay(resolve, 5_000))
          saving--
          saves.push(position)
        },
      },
    })
    const reading = read(client.subscribe(channel))
    await held()
    const ids = publish(100)
    await clock.runUntil(() => reading.events.length === 100, 4_000)
    const last = publish()
    await clock.advance(30_000)
    expect(most).toBe(1)
    // The last one is finished when the next is asked for, which the loop has done.
    expect(String(saves.at(-1)?.replayId)).toBe(last[0])
    expect(saves.length).toBeLessThanOrEqual(5)
    expect(reading.ids).toEqual([...ids, ...last])
  })

  it('C71 [S] a failing store: told, tried again, the stream goes on; and one that cannot be read is an error', async () => {
    let failures = 3
    const saved: string[] = []
    const { client, clock, read, publish, held, reports } = orgBench({
      replayStore: {
        load: () => Promise.resolve(undefined),
        save(_key, position) {
          if (failures-- > 0) return Promise.reject(new Error('disk full'))
          saved.push(String(position.replayId))
          return Promise.resolve()
        },
      },
    })
    const reading = read(client.subscribe(channel))
    await held()
    const ids = publish(10)
    await clock.runUntil(() => reading.events.length === 10, 1_000)
    await clock.advance(minuteMs)
    expect(reports('storeFailed').length).toBeGreaterThanOrEqual(1)
    expect(saved.at(-1)).toBe(ids.at(-1))

    const broken = orgBench({ replayStore: { load: () => Promise.reject(new Error('corrupt')), save: () => Promise.resolve() } })
    const end = broken.read(broken.client.subscribe(channel))
    await broken.clock.runUntil(() => end.ended !== undefined)
    expect(end.ended).toMatchObject({ code: 'store_unreadable' })
  })
})

/**
 * An org has no acknowledged delivery, so the client does not ask for it, also where a server offers it: what acknowledging
 * would bring, replay brings.
 */
describe('instead of acknowledging', () => {
  it('C61 [S] the answer is lost after the org wrote it: asked for again, in order, once', async () => {
    const { org, client, clock, read, publish, held } = orgBench()
    const reading = read(client.subscribe(channel))
    await held()
    const ids = publish(2)
    await clock.runUntil(() => reading.events.length === 2)
    await held()
    org.faults.next({ on: 'connect', kind: 'network-error', lost: 'reply' })
    // Ends the held connect; the events after it ride on the one that is lost.
    ids.push(...publish())
    await clock.runUntil(() => reading.events.length === 3)
    ids.push(...publish(5))
    await clock.runUntil(() => reading.events.length === 8)
    ids.push(...publish())
    await clock.runUntil(() => reading.events.length === 9)
    expect(reading.ids).toEqual(ids)
    expect(org.inspect.deliveries[channel]).toBeGreaterThan(9)
    expect(org.inspect.handshakes).toBe(1)
  })

  it('C62 [S] a handler that throws amid a batch: its event and those after it come again', async () => {
    const replayStore = memoryReplayStore()
    const first = orgBench({ replayStore })
    const handled: string[] = []
    const subscription = first.client.subscribe(channel)
    const run = (async () => {
      for await (const event of subscription) {
        if (handled.length === 2) throw new Error('the handler fails')
        handled.push(String(event.replayId))
      }
    })()
    const failed = expect(run).rejects.toThrow('the handler fails')
    await first.held()
    const ids = first.publish(5)
    await first.clock.runUntil(() => handled.length === 2)
    await first.clock.advance(1_000)
    await failed
    await first.client.stop()
    expect(handled).toEqual(ids.slice(0, 2))
    const second = orgBench({ replayStore }, {}, first)
    const reading = second.read(second.client.subscribe(channel))
    await second.clock.runUntil(() => reading.events.length === 3)
    expect(reading.ids).toEqual(ids.slice(2))
  })

  it('C63 [S] a connect that fails: the events with it count, and nothing is lost around it', async () => {
    const { org, client, clock, read, publish, held } = orgBench()
    const reading = read(client.subscribe(channel))
    await held()
    org.faults.next({
      on: 'connect',
      kind: 'rewrite',
      body: (text) => text.replace('"successful":true', '"successful":false,"error":"500::Internal"'),
    })
    const ids = publish()
    await clock.runUntil(() => reading.events.length === 1)
    ids.push(...publish(2))
    await clock.runUntil(() => reading.events.length === 3)
    ids.push(...publish(2))
    await clock.runUntil(() => reading.events.length === 5)
    await clock.advance(5 * minuteMs)
    expect(reading.ids).toEqual(ids)
  })

  it('C64 [S] the session is lost with events queued: replayed after the last one received', async () => {
    const { org, client, clock, read, publish, held } = orgBench()
    const reading = read(client.subscribe(channel))
    await held()
    const ids = publish()
    await clock.runUntil(() => reading.events.length === 1)
    await held()
    ids.push(...publish(3))
    org.faults.loseSessions()
    await clock.runUntil(() => reading.events.length === 4)
    await clock.advance(minuteMs)
    expect(reading.ids).toEqual(ids)
  })
})
