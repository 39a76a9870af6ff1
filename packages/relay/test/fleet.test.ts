import { createClient, type StreamEvent } from '@sfstream/core'
import type { createMockOrg, Switches } from '@sfstream/mock-org'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { channel, other, relayBench } from './relay-bench.ts'

type Act =
  | { what: 'publish'; count: number; on: string }
  | { what: 'pass'; ms: number }
  | { what: 'cut' | 'lose' | 'revoke' | 'forbid' | 'allow' | 'dawdle' }
  | { what: 'restart'; which: number }
  | { what: 'join'; paceMs: number; both: boolean; gap: 'replay' | 'report' }
  | { what: 'leave' | 'reopen'; which: number }
  | { what: 'forge'; id: string; hangUpMs: number }

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('publish' as const),
      count: fc.integer({ min: 1, max: 40 }),
      on: fc.constantFrom(channel, other),
    }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 40_000 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constantFrom(
        'cut' as const,
        'cut' as const,
        'lose' as const,
        'revoke' as const,
        'forbid' as const,
        'allow' as const,
        'dawdle' as const,
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('restart' as const), which: fc.nat({ max: 2 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('join' as const),
      paceMs: fc.constantFrom(0, 0, 50, 3_000),
      both: fc.boolean(),
      gap: fc.constantFrom('replay' as const, 'report' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('leave' as const, 'reopen' as const), which: fc.nat({ max: 5 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('forge' as const),
      id: fc.oneof(
        fc.string({ maxLength: 20 }),
        fc.constantFrom(
          '',
          '1',
          '1~',
          '2~00D000000000001~%2Fevent%2FOrder_Event__e=5',
          '1~ORG~%2Fevent%2FOrder_Event__e=5',
          '1~ORG~%2Fevent%2FOrder_Event__e=007',
          '1~ORG~%2Fevent%2FOrder_Event__e=@abc.1~%2Fevent%2FOrder_Event__e=all',
          '1~ORG~%2Fevent%2FLow_Ink__e=15000000',
          '1~ORG~%E0%A4%A=1',
          `1~ORG~%2Fevent%2FOrder_Event__e=${'9'.repeat(40)}`,
        ),
      ),
      hangUpMs: fc.integer({ min: 0, max: 5_000 }),
    }),
  },
)

interface Reader {
  on: string
  numbers: number[]
  from: number | undefined
  gaps(): number
  ended: unknown
  stop(): void
}

async function simulate(acts: readonly Act[], seed: number): Promise<{ readers: number; gapped: number }> {
  const switches: Partial<Switches> = {
    replayDelayMs: seed % 2 === 0 ? 0 : 3_000,
    eventDateLagMs: seed % 3 === 0 ? 120_000 : 0,
    dataOn: seed % 5 === 0 ? 'any-reply' : 'connect',
  }
  let isForbidden = false
  let slowMs = 0
  const bench: ReturnType<typeof relayBench> = relayBench(
    {
      window: { maxEvents: 30, maxBytes: 8_000 },
      heartbeatMs: 5_000,
      lingerMs: 30_000,
      maxStreamMs: 90_000,
      maxClients: 40,
      authorize: async () => {
        if (slowMs > 0) await new Promise<void>((resolve) => void bench.clock.delay(resolve, slowMs))
        return isForbidden ? new Response(null, { status: 503 }) : true
      },
      connect: () =>
        createClient({
          auth: async () => bench.org.session(),
          replayStore: null,
          platform: { fetch: bench.org.fetch, now: bench.clock.now, delay: bench.clock.delay, random: bench.clock.random },
        }),
    },
    { seed, switches } as Parameters<typeof createMockOrg>[0],
    3,
  )
  const readers: Reader[] = []
  const clients: { stop(): Promise<void> }[] = []
  const wrong: unknown[] = []

  const read = (browser: ReturnType<typeof bench.browser>, on: string, paceMs: number): void => {
    const controller = new AbortController()
    const subscription = browser.client.subscribe<{ Number__c: number }>(on, { replay: 'new', maxBuffered: 20, signal: controller.signal })
    const reader: Reader = {
      on,
      numbers: [],
      from: undefined,
      gaps: () => browser.statuses.filter((status) => status.type === 'replayGap' && status.channel === on).length,
      ended: undefined,
      stop: () => controller.abort(new Error('left')),
    }
    readers.push(reader)
    subscription.ready.then(
      () => {
        reader.from = bench.published(on).length
      },
      () => {},
    )
    void (async () => {
      for await (const event of subscription as AsyncIterable<StreamEvent<{ Number__c: number }>>) {
        if (event.channel !== on) wrong.push([on, event.channel])
        reader.numbers.push(event.payload.Number__c)
        if (paceMs > 0) await new Promise<void>((resolve) => void bench.clock.delay(resolve, paceMs))
      }
    })().catch((error) => {
      reader.ended = error
    })
  }
  const joins: { browser: ReturnType<typeof bench.browser>; on: readonly string[]; paceMs: number }[] = []
  for (const each of acts) {
    switch (each.what) {
      case 'publish':
        bench.publish(each.count, each.on, 'shared')
        break
      case 'cut':
        bench.cut()
        break
      case 'lose':
        bench.org.faults.loseSessions()
        break
      case 'revoke':
        bench.org.faults.revokeTokens()
        break
      case 'forbid':
        isForbidden = true
        break
      case 'allow':
        isForbidden = false
        slowMs = 0
        break
      case 'dawdle':
        slowMs = 12_000
        break
      case 'restart':
        await bench.restart({}, each.which)
        break
      case 'pass':
        await bench.clock.advance(each.ms)
        break
      case 'join': {
        const browser = bench.browser({ gap: each.gap })
        clients.push(browser.client)
        const on = each.both ? [channel, other] : [channel]
        joins.push({ browser, on, paceMs: each.paceMs })
        for (const name of on) read(browser, name, each.paceMs)
        break
      }
      case 'leave':
        readers[each.which]?.stop()
        break
      case 'reopen': {
        const joined = joins[each.which]
        if (joined) read(joined.browser, joined.on[0] as string, joined.paceMs)
        break
      }
      case 'forge': {
        const id = each.id.replace('ORG', bench.org.orgId.slice(0, 15)).replace(/[^\x20-\x7e]/g, '')
        void bench
          .get(`?channel=${channel}`, { accept: 'text/event-stream', 'last-event-id': id })
          .then(async (response) => {
            const reader = response.body?.getReader()
            if (!reader) return
            bench.clock.delay(() => void reader.cancel().catch(() => {}), each.hangUpMs)
            for (;;) {
              const { done, value } = await reader.read()
              if (done) return
              if (new TextDecoder().decode(value).includes(`"channel":"${other}"`)) wrong.push(['forged', id])
            }
          })
          .catch(() => {})
        break
      }
    }
    await bench.clock.advance(10)
  }
  isForbidden = false
  slowMs = 0
  const open = (): Reader[] => readers.filter(({ ended }) => ended === undefined)
  const missing = (reader: Reader): number[] => {
    const had = new Set(reader.numbers)
    return (bench.published(reader.on) as number[]).slice(reader.from ?? Number.POSITIVE_INFINITY).filter((number) => !had.has(number))
  }
  await bench.clock
    .runUntil(() => open().every((reader) => reader.from !== undefined && (missing(reader).length === 0 || reader.gaps() > 0)), 3_600_000)
    .catch(() => {})
  try {
    expect(wrong).toEqual([])
    for (const reader of readers) {
      if (reader.ended !== undefined) {
        expect(String(reader.ended)).toContain('left')
        continue
      }
      expect(reader.from, 'accepted').toBeDefined()
      if (reader.gaps() > 0) continue
      expect(missing(reader), 'lost').toEqual([])
      expect(reader.numbers, 'in order, once').toEqual([...new Set(reader.numbers)].sort((a, b) => a - b))
    }
    return { readers: readers.length, gapped: readers.filter((reader) => reader.gaps() > 0).length }
  } finally {
    for (const client of clients) await client.stop()
    await bench.clock.advance(20_000)
    for (const relay of bench.relays) expect(relay.stats.clients).toBe(0)
    for (const relay of bench.relays) await relay.close()
    await bench.clock.advance(30_000)
    expect(bench.clock.pending).toBe(0)
  }
}

test('readers moved at random between relays, some of them forgers, lose nothing and see nothing twice', async () => {
  const total = { readers: 0, gapped: 0 }
  const run = async (acts: readonly Act[], seed: number): Promise<void> => {
    const { readers, gapped } = await simulate(acts, seed)
    total.readers += readers
    total.gapped += gapped
  }
  await fc.assert(fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), fc.integer(), run), {
    numRuns: Number(process.env.RELAY_RUNS ?? 40),
  })
  if (process.env.RELAY_RUNS) console.log(total)
  expect(total.gapped).toBeLessThan(total.readers / 2)
}, 600_000)
