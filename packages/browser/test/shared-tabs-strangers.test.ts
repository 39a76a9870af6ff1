import fc from 'fast-check'
import { expect, test } from 'vitest'
import { channel, tabBench } from './tab-bench.ts'

/** What an older or a newer version of the library, or anything else of the origin, may put where text or a number is meant. */
const strange: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, '', 'abc', '-1', '007', -1, 1.5, Number.NaN, 1e300, { toString: 1 }, [], [null], {}, [
    [],
  ]),
  fc.constantFrom<unknown>({ hub: 'x', number: 1 }, { hub: { toString: 1 }, number: { toString: 1 } }, { feed: 0 }, { what: 'events' }),
  fc.constantFrom<unknown>([{ what: 'events', events: null }], [{ what: 'events', events: [{ text: '{' }] }], [{ what: 'gap', own: true }]),
  fc.jsonValue({ maxDepth: 2 }),
)
const field = (right: unknown): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: strange })
const shape = (fields: Record<string, unknown>): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(Object.fromEntries(Object.entries(fields).map(([name, right]) => [name, field(right)])))

const opened = fc.oneof(shape({ feed: 99, channel, position: 7, stamp: { epoch: 1, number: 1 } }), strange)
const said = (tab: string, epoch: number): fc.Arbitrary<unknown> =>
  fc.oneof(
    shape({ type: 'hello', tab: 'stranger' }),
    fc.record({
      type: fc.constant('present'),
      tab: field('stranger'),
      epoch: field(epoch),
      feeds: fc.oneof(fc.array(opened, { maxLength: 3 }), strange),
      failed: field(false),
    }),
    fc.record({ type: fc.constant('open'), tab: field('stranger'), epoch: field(epoch), opened }),
    shape({ type: 'more', tab: 'stranger', epoch, feed: 99 }),
    shape({ type: 'close', tab: 'stranger', feed: 99 }),
    shape({ type: 'bye', tab: 'stranger' }),
    // Of a leader of before, or one that is none.
    shape({ type: 'leader', epoch: 1 }),
    shape({ type: 'session', epoch: 1, org: 'x', skewMs: 0, state: 'live', failures: 0, error: undefined }),
    shape({ type: 'status', epoch: 1, status: { type: 'retry' }, error: {} }),
    shape({ type: 'feed', epoch: 1, to: tab, feed: 0, skewMs: 0, news: [] }),
  )

test('whatever others say on the channel, every tab has every event once and in order', async () => {
  const run = async (seed: number, before: boolean): Promise<void> => {
    const { clock, org, tabs: pages, publish, open } = tabBench()
    const heard: { type?: string; epoch?: number; tab?: string }[] = []
    pages.open().ports.join('sfstream', (message) => void heard.push(message as object))
    const tabs = [open(), open()]
    const reads = tabs.map((tab) => tab.read())
    if (!before) {
      await clock.runUntil(() => tabs.every(({ client }) => client.state === 'live'))
      await clock.advance(2_000)
    } else await clock.advance(5)
    const epoch = heard.find((each) => each.type === 'leader')?.epoch ?? clock.now()
    const tab = heard.find((each) => each.type === 'hello')?.tab ?? ''
    const messages = fc.sample(said(tab, epoch), { seed, numRuns: 12 })
    for (const message of messages) {
      try {
        tabs[0]?.tab.say('sfstream', message)
      } catch (error) {
        throw new Error(`${JSON.stringify(message)}: ${String(error)}`)
      }
      await clock.advance(20)
    }
    await clock.runUntil(() => tabs.every(({ client }) => client.state === 'live'), 600_000)
    await clock.advance(30_000)
    publish(3)
    await clock
      .runUntil(() => reads.every(({ numbers }) => numbers.length === 3), 600_000)
      .catch(() => {
        throw new Error(`lost: ${JSON.stringify({ reads: reads.map(({ numbers }) => numbers), messages })}`)
      })
    expect(reads.map(({ numbers }) => numbers)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
    expect(org.inspect.handshakes).toBeLessThan(4)
    for (const { client } of tabs) await client.stop()
    expect(tabs.every(({ tab }) => tab.isClean)).toBe(true)
  }
  await fc.assert(fc.asyncProperty(fc.nat(), fc.boolean(), run), { numRuns: Number(process.env.TAB_RUNS ?? 40) })
}, 60_000)
