import type { StandardSchemaV1 } from '@standard-schema/spec'
import { channel, count, listen, numberOf, onBench, openStore, statuses, take } from '../bench.ts'
import { equal, failure, ok, until } from '../expectations.ts'
import type { Harness } from '../harness.ts'

const orderNumber: StandardSchemaV1<unknown, { number: number }> = {
  '~standard': {
    version: 1,
    vendor: 'sfstream',
    validate(value) {
      const { Number__c } = value as { Number__c?: unknown }
      return typeof Number__c === 'number' ? { value: { number: Number__c } } : { issues: [{ message: 'no number' }] }
    },
  },
}

/** process(), streams, schemas, extensions and messages of the caller's own. */
export function handlerCases(harness: Harness): void {
  const { org, test } = harness

  test(
    'handlers',
    'process() runs handlers side by side, in order per key',
    onBench(harness, async ({ client, orders }) => {
      const replayStore = openStore()
      const mine = await client({ replayStore })
      const subscription = mine.subscribe(channel)
      await subscription.ready
      const ids = await orders(1, 20)
      await until(() => subscription.stats.received === 20, 'twenty events')
      const perKey: Record<string, unknown[]> = { even: [], odd: [] }
      let running = 0
      let most = 0
      const orderBy = (event: Parameters<typeof numberOf>[0]): string => (Number(numberOf(event)) % 2 ? 'odd' : 'even')
      await subscription.process(
        async (event) => {
          most = Math.max(most, ++running)
          await new Promise((resolve) => setTimeout(resolve, 1))
          perKey[orderBy(event)]?.push(numberOf(event))
          running--
          // Finishes what is buffered, then ends.
          mine.askStop()
        },
        { concurrency: 4, orderBy },
      )
      equal(perKey, { even: count(1, 20).filter((each) => each % 2 === 0), odd: count(1, 20).filter((each) => each % 2) })
      equal(most, 2)
      equal(String(replayStore.saved.at(-1)), ids.at(-1))
    }),
  )
  test(
    'handlers',
    'toReadableStream() brings events, and cancelling it unsubscribes',
    onBench(harness, async ({ client, orders }) => {
      const subscription = (await client({ commit: 'manual' })).subscribe(channel)
      await subscription.ready
      const reader = subscription.toReadableStream().getReader()
      await orders(1, 2)
      const [first, second] = [await reader.read(), await reader.read()]
      equal([numberOf(first.value), numberOf(second.value)], [1, 2])
      await reader.cancel()
      await until(async () => (await org.look()).subscriptions[channel] === undefined, 'the channel unsubscribed')
    }),
  )
  test(
    'handlers',
    'a schema changes payloads; what does not fit is skipped and reported, or rejects',
    onBench(harness, async ({ client }) => {
      const mine = await client()
      const said = statuses(mine)
      const skipping = await listen(mine, { schema: orderNumber, onInvalid: 'skip' })
      await org.publish(channel, [{ Text__c: 'no number' }, { Number__c: 7 }])
      equal(
        (await take(skipping, 1)).map(({ payload }) => payload),
        [{ number: 7 }],
      )
      ok(
        said.some(({ type }) => type === 'invalidEvent'),
        'an invalidEvent is told',
      )
      const strict = (await client()).subscribe(channel, { schema: orderNumber, replay: 'all' })
      equal((await failure(strict[Symbol.asyncIterator]().next())).code, 'invalid_event')
    }),
  )
  test(
    'handlers',
    'extensions see and change messages both ways',
    onBench(harness, async ({ client, orders }) => {
      const sent: unknown[] = []
      const mine = await client({
        extensions: [
          {
            outgoing(message) {
              sent.push(message.channel)
              return message
            },
            incoming: (message) => (message.channel === channel ? { ...message, seen: true } : message),
          },
        ],
      })
      const iterator = await listen(mine)
      await orders(1, 1)
      const [event] = await take(iterator, 1)
      equal(event?.message.seen, true)
      for (const name of ['/meta/handshake', '/meta/subscribe', '/meta/connect']) ok(sent.includes(name), `${name} among ${sent}`)
    }),
  )
  test(
    'handlers',
    'send() refuses what belongs to the client',
    onBench(harness, async ({ client }) => {
      const mine = await client()
      await mine.start()
      equal((await failure(mine.send({ channel: '/meta/handshake' }))).code, 'reserved_channel')
    }),
  )
}
