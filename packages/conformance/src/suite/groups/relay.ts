import type { StreamingClient } from '@sfstream/core'
import { createRelay, type Relay } from '@sfstream/relay'
import { relay as relaySource } from '@sfstream/relay/client'
import { type Bench, channel, count, listen, onBench, statuses, takeNumbers } from '../bench.ts'
import { equal } from '../expectations.ts'
import type { Harness } from '../harness.ts'

const url = 'https://relay.example/events'

/** A relay in this runtime, and clients that reach it by a Request and a Response, without a server in between. */
async function onRelay(harness: Harness, { client }: Bench, run: (made: Made) => Promise<void>): Promise<void> {
  const session = await harness.org.session()
  const make = (): Relay =>
    createRelay({
      connect: () => harness.adapter.createClient({ auth: session, replayStore: null }),
      channels: [channel],
      authorize: (request) => request.headers.get('x-user') !== 'mallory',
      heartbeatMs: 200,
    })
  let relay = make()
  try {
    await run({
      relay: () => relay,
      async restart() {
        await relay.close()
        relay = make()
      },
      reader: (user) => {
        const fetch = (input: string | URL, init?: RequestInit): Promise<Response> => relay(new Request(input, init))
        // One option replaces the other: a client has a session of its own, or a Source.
        const source = relaySource(url, { headers: { 'x-user': user }, platform: { fetch } })
        return client({ auth: undefined, source } as never)
      },
    })
  } finally {
    await relay.close()
  }
}

interface Made {
  relay(): Relay
  restart(): Promise<void>
  reader(user: string): Promise<StreamingClient>
}

/** One session handed on to many: both sides in this runtime. */
export function relayCases(harness: Harness): void {
  const { test, adapter } = harness

  test(
    'relay',
    'two readers of one session get every event; one that comes back goes on after its last',
    onBench(harness, (bench) =>
      onRelay(harness, bench, async ({ relay, reader }) => {
        const [one, two] = await Promise.all([reader('ada'), reader('bob')])
        const events = await Promise.all([listen(one, { replay: 'new' }), listen(two, { replay: 'new' })])
        equal(relay().stats.clients, 2)
        await bench.orders(1, 3)
        for (const each of events) equal(await takeNumbers(each, 3), count(1, 3))
        equal((await harness.org.look()).handshakes, 1)
      }),
    ),
  )
  test(
    'relay',
    'a relay that is begun again serves those who were there from their positions',
    onBench(harness, (bench) =>
      onRelay(harness, bench, async ({ restart, reader }) => {
        const client = await reader('ada')
        const events = await listen(client, { replay: 'new' })
        await bench.orders(1, 2)
        equal(await takeNumbers(events, 2), [1, 2])
        await restart()
        await bench.orders(3, 2)
        equal(await takeNumbers(events, 2), [3, 4])
      }),
    ),
  )
  test(
    'relay',
    'who may not read gets a SubscribeError, and nobody else is disturbed',
    onBench(harness, (bench) =>
      onRelay(harness, bench, async ({ reader }) => {
        const mallory = await reader('mallory')
        const said = statuses(mallory)
        let error: unknown
        await mallory.subscribe(channel).ready.catch((reason: unknown) => {
          error = reason
        })
        equal((error as Error).name, 'SubscribeError')
        equal(error instanceof adapter.SubscribeError, true)
        equal(
          said.some(({ type }) => type === 'replayGap'),
          false,
        )
      }),
    ),
  )
}
