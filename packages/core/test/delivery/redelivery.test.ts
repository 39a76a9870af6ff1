import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StreamEvent } from '../../src/index.ts'
import { bench, channel, event, recordingStore } from '../support/delivery-bench.ts'

/** The org's log: events of equal ids in groups; `index` is what the test knows each by. */
const log = fc
  .array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 10 })
  .map((groups) => groups.flatMap((size, at) => Array.from({ length: size }, () => at + 1)))

const message = (id: number, index: number): ReturnType<typeof event> => event(id, { index }, { EventUuid: `uuid ${index}` })

test('whatever order events are finished in, wherever replies are cut and the process is killed: what is not finished comes again, in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      log,
      fc.array(fc.record({ work: fc.nat(12), cut: fc.nat(30), loseSaves: fc.boolean() }), { maxLength: 4 }),
      fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
      async (ids, runs, choices) => {
        const store = recordingStore()
        const finished = new Set<number>()
        let draws = 0
        const draw = (below: number): number => (choices[draws++ % choices.length] as number) % below
        /** What the org replays to who begins there: all of the events after the last one of that id. */
        const after = (position: unknown): number => (position === 'all' ? 0 : ids.lastIndexOf(position as number) + 1)

        for (const run of [...runs, { work: Number.POSITIVE_INFINITY, cut: 0, loseSaves: false }]) {
          const { client, source, clock } = bench({ commit: 'manual' }, { store })
          const first = store.at() === undefined ? { replay: 'all' as const } : {}
          const iterator = client.subscribe<{ index: number }>(channel, first)[Symbol.asyncIterator]()
          await clock.settle()
          const begin = after(source.feed.request.position)
          for (let index = 0; index < begin; index++) expect(finished).toContain(index)
          const sent = ids.map(message).slice(begin)
          const cut = run.cut % (sent.length + 1)
          if (cut > 0) source.feed.reply(sent.slice(0, cut), { complete: false })
          source.feed.lose()
          await clock.settle()
          const again = after(source.feed.request.position)
          expect(again).toBeLessThanOrEqual(begin + cut)
          if (again < ids.length) source.feed.reply(ids.map(message).slice(again))
          await clock.settle()

          const inHand: StreamEvent<{ index: number }>[] = []
          for (let count = sent.length; count > 0; count--) inHand.push((await iterator.next()).value)
          // Each once, in order, none left out: repeats of our own making are dropped.
          expect(inHand.map(({ payload }) => payload.index)).toEqual(sent.map((_, at) => begin + at))
          if (run.loseSaves) store.onSave = () => Promise.reject(new Error('the disk is gone'))
          for (let steps = 0; steps < run.work && inHand.length > 0; steps++) {
            const [chosen] = inHand.splice(draw(inHand.length), 1)
            finished.add(chosen!.payload.index)
            chosen!.commit().catch(() => {})
            if (draw(2) === 0) await clock.settle()
            const saved = store.at()?.replayId
            if (saved !== undefined) for (let index = 0; index < after(saved); index++) expect(finished).toContain(index)
          }
          await client.stop().catch(() => {})
          store.onSave = undefined
        }
        expect(finished.size).toBe(ids.length)
        expect(store.at()?.replayId).toBe(ids.at(-1))
      },
    ),
    { numRuns: 150 },
  )
})
