import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type OpenTab, tabBench } from './tab-bench.ts'

type Act =
  | { what: 'open'; count: number }
  | { what: 'close' | 'crash'; count: number }
  | { what: 'freeze' | 'thaw' | 'reread'; which: number }
  | { what: 'clock'; byMs: number }
  | { what: 'publish'; count: number }
  | { what: 'lose' }
  | { what: 'pass'; ms: number }

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ what: fc.constant('open' as const), count: fc.constantFrom(1, 1, 2, 20) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constantFrom('close' as const, 'crash' as const), count: fc.constantFrom(1, 1, 5, 19) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constantFrom('freeze' as const, 'thaw' as const, 'thaw' as const, 'reread' as const),
      which: fc.nat(19),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('clock' as const),
      // Not forward by more: until the next reply nothing tells that from time that has passed.
      byMs: fc.constantFrom(-86_400_000, -3_600_000, -1_000, 1_000, 60_000),
    }),
  },
  { weight: 5, arbitrary: fc.record({ what: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('lose' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant('pass' as const),
      ms: fc.oneof(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 1, max: 100_000 })),
    }),
  },
)

interface Living {
  open: OpenTab
  isFrozen: boolean
  reads: { numbers: number[]; from: number | undefined; ended: unknown; leave(): void }[]
}

async function simulate(acts: readonly Act[], seed: number): Promise<void> {
  let random = seed % 2_147_483_647 || 1
  const latency = (): number => {
    random = (random * 48_271) % 2_147_483_647
    return random % 10 === 0 ? 200 : 1 + (random % 7)
  }
  const bench = tabBench(seed, latency)
  const { clock, org } = bench
  let published = 0
  let offMs = 0
  let tabs: Living[] = []
  const gone: Living[] = []
  const read = (tab: Living): void => {
    const controller = new AbortController()
    const subscription = tab.open.client.subscribe<{ Number__c: number }>('/event/Order_Event__e', {
      replay: 'new',
      signal: controller.signal,
    })
    const one: Living['reads'][number] = {
      numbers: [],
      from: undefined,
      ended: undefined,
      leave: () => controller.abort(new Error('left')),
    }
    tab.reads.push(one)
    subscription.ready.then(
      () => {
        one.from = published
      },
      () => {},
    )
    void (async () => {
      for await (const event of subscription) one.numbers.push(event.payload.Number__c)
      one.ended = 'done'
    })().catch((error) => {
      one.ended = error
    })
  }
  const open = (): void => {
    if (tabs.length >= 25) return
    const tab: Living = { open: bench.open({ offMs: () => offMs }), isFrozen: false, reads: [] }
    tabs.push(tab)
    read(tab)
  }
  const thaw = (tab: Living): void => {
    tab.isFrozen = false
    tab.open.tab.thaw()
  }
  open()
  for (const each of acts) {
    const tab = 'which' in each ? (tabs[each.which % tabs.length] as Living) : undefined
    switch (each.what) {
      case 'open':
        for (let count = 0; count < each.count; count++) open()
        break
      case 'close':
      case 'crash': {
        const going = tabs.slice(0, Math.min(each.count, tabs.length - 1))
        tabs = tabs.slice(going.length)
        for (const one of going) {
          if (each.what === 'crash') one.open.tab.crash()
          else {
            thaw(one)
            gone.push(one)
            one.open.client.stop().catch(() => {})
          }
        }
        break
      }
      case 'freeze':
        if (tab) tab.isFrozen = true
        tab?.open.tab.freeze()
        break
      case 'thaw':
        if (tab) thaw(tab)
        break
      case 'reread':
        if (!tab || tab.isFrozen || tab.reads.length > 4) break
        tab.reads.at(-1)?.leave()
        read(tab)
        break
      case 'clock':
        // Of the machine, and so of all its tabs.
        offMs += each.byMs
        break
      case 'publish':
        bench.publish(each.count)
        published += each.count
        break
      case 'lose':
        org.faults.loseSessions()
        break
      case 'pass':
        await clock.advance(each.ms)
        break
    }
    await clock.advance(1)
  }
  for (const tab of tabs) thaw(tab)
  const open_ = (): Living['reads'] => tabs.flatMap(({ reads }) => reads).filter(({ ended }) => ended === undefined)
  const missing = ({ numbers, from }: Living['reads'][number]): number[] => {
    const had = new Set(numbers)
    return Array.from({ length: published }, (_, at) => at + 1)
      .slice(from ?? Number.POSITIVE_INFINITY)
      .filter((number) => !had.has(number))
  }
  await clock.runUntil(() => open_().every((one) => one.from !== undefined && missing(one).length === 0), 1_800_000).catch(() => {})
  for (const tab of tabs) {
    const hasGap = tab.open.statuses.some(({ type }) => type === 'replayGap')
    for (const one of tab.reads) {
      if (one.ended !== undefined) {
        expect(String(one.ended)).toContain('left')
        continue
      }
      expect(one.from, 'accepted').toBeDefined()
      if (hasGap) continue
      expect(missing(one), 'lost').toEqual([])
      expect(one.numbers, 'in order, once').toEqual([...new Set(one.numbers)].sort((a, b) => a - b))
    }
  }
  await clock.advance(150_000)
  expect(org.inspect.slots.used, 'sessions').toBeLessThanOrEqual(1 + acts.filter(({ what }) => what === 'crash').length)
  for (const { open: one } of tabs) await one.client.stop()
  await clock.advance(5_000)
  for (const { open: one } of [...tabs, ...gone]) expect(one.tab.isClean, 'clean').toBe(true)
}

test('twenty tabs at once, a clock that is set back, messages that are late: every tab has every event once and in order', async () => {
  await fc.assert(fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 30 }), fc.nat(), simulate), {
    numRuns: Number(process.env.TAB_RUNS ?? 15),
  })
}, 600_000)
