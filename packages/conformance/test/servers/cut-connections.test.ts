import { createClient } from '@sfstream/core'
import { startMockOrgServer } from '@sfstream/mock-org/node'
import { httpTransport } from '@sfstream/node'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../fuzz/fuzz-runs.ts'
import { type Mishap, middlebox } from './middlebox.ts'
import { noticeBoard } from './notice-board.ts'

const channel = '/event/Order__e'
const fast = { baseMs: 1, capMs: 5 }
const more = 30

const optional = <T>(arbitrary: fc.Arbitrary<T>, freq = 5): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined, freq })
const mishap: fc.Arbitrary<Mishap> = fc.record({
  up: optional(fc.nat(1_500), 2),
  // Within a reply or two, or some way into the backlog.
  down: optional(fc.oneof(fc.nat(1_500), fc.nat(20_000))),
  how: fc.constantFrom<Mishap['how']>('reset', 'close', 'half-close', 'close-late'),
  pieces: optional(fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 8, max: 3_000 })), 2),
})

describe('connections that end at any byte', () => {
  it.each(['http', 'fetch'])('lose no event and change no order, and none is left after stop(): %s', async (over) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(optional(mishap, 12), { minLength: 1, maxLength: 25 }),
        fc.constantFrom(0, 200),
        async (mishaps, backlog) => {
          const board = noticeBoard()
          const server = await startMockOrgServer({ channels: [channel], switches: { maxEventsPerReply: 40 } })
          const box = await middlebox(Number(new URL(server.url).port), mishaps, board.changed)
          const { accessToken } = server.org.session()
          const client = createClient({
            auth: { accessToken, instanceUrl: box.url },
            ...(over === 'http' && { transport: httpTransport() }),
            retry: { connect: fast, handshake: fast, subscribe: fast, auth: fast },
          })
          let published = 0
          const publish = (): void => void server.org.publish(channel, { n: ++published })
          const seen = new Set<number>()
          const read = async (): Promise<void> => {
            for await (const { payload } of client.subscribe(channel, { replay: 'all' })) {
              seen.add((payload as { n: number }).n)
              board.changed()
            }
          }
          for (let n = 0; n < backlog; n++) publish()
          const reading = read()
          const publishing = setInterval(() => {
            if (published < backlog + more) publish()
            board.changed()
          }, 2)
          try {
            await board.until('all events', () => seen.size === backlog + more, 20_000)
            // A set keeps the order in which each came first.
            expect([...seen]).toEqual(Array.from({ length: published }, (_, at) => at + 1))
            await client.stop()
            await reading
            if (over === 'http') await board.until('no connection', () => box.open === 0)
          } finally {
            clearInterval(publishing)
            await client.stop()
            await reading.catch(() => {})
            await box.close()
            await server.close()
          }
        },
      ),
      // What fails takes its time: one such run says enough.
      { ...runs(over === 'http' ? 30 : 10), endOnFailure: true },
    )
  })
})
