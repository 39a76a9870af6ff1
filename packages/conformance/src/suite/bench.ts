import type { ClientOptions, ClientStatus, ReplayStore, StreamEvent, StreamingClient, SubscribeOptions } from '@sfstream/core'
import type { Harness } from './harness.ts'

export const channel = '/event/Order_Event__e'

/** Delays of a few milliseconds: what is tested is that it is tried again, not how long that takes. */
const quick = { baseMs: 5, capMs: 20 }
const retry = { connect: quick, handshake: quick, subscribe: quick, auth: quick }

export interface Bench {
  /** A client of the current org; its token is taken from the org unless `auth` is given. Stopped when the case ends. */
  client(options?: Partial<ClientOptions>): Promise<StreamingClient>
  /** Publishes orders numbered from `from`; resolves with their replay ids. */
  orders(from: number, count: number): Promise<(string | undefined)[]>
}

/** Runs a case with clients that are stopped afterwards, however it ends. */
export function onBench({ adapter, org }: Harness, run: (bench: Bench) => Promise<void>): () => Promise<void> {
  return async () => {
    const clients: StreamingClient[] = []
    try {
      await run({
        async client(options = {}) {
          const auth = 'auth' in options ? {} : { auth: await org.session() }
          const store = adapter.memoryReplayStore()
          const client = adapter.createClient({ replayStore: store, retry, ...auth, ...options } as ClientOptions)
          clients.push(client)
          return client
        },
        orders: (from, count) =>
          org.publish(
            channel,
            Array.from({ length: count }, (_, at) => ({ Number__c: from + at })),
          ),
      })
    } finally {
      await Promise.all(clients.map((client) => client.stop()))
    }
  }
}

export const numberOf = (event: StreamEvent | undefined): unknown => (event?.payload as { Number__c?: unknown } | undefined)?.Number__c

export const count = (from: number, length: number): number[] => Array.from({ length }, (_, at) => from + at)

/** The next `length` values of an iterator. */
export async function take<T>(values: AsyncIterator<T>, length: number): Promise<T[]> {
  const taken: T[] = []
  while (taken.length < length) {
    const next = await values.next()
    if (next.done) throw new Error(`ended after ${taken.length} of ${length}`)
    taken.push(next.value)
  }
  return taken
}

/** Numbers of the next `length` orders. */
export async function takeNumbers(values: AsyncIterator<StreamEvent>, length: number): Promise<unknown[]> {
  return (await take(values, length)).map(numberOf)
}

/** An accepted subscription's iterator. */
export async function listen(
  client: StreamingClient,
  options: SubscribeOptions = {},
  name: string = channel,
): Promise<AsyncIterator<StreamEvent>> {
  const subscription = client.subscribe(name, options)
  await subscription.ready
  return subscription[Symbol.asyncIterator]()
}

/** Collects what a client says of itself. */
export function statuses(client: StreamingClient): ClientStatus[] {
  const said: ClientStatus[] = []
  void (async () => {
    for await (const status of client.status()) said.push(status)
  })().catch(() => {})
  return said
}

/** A store that a case can look into. */
export function openStore(): ReplayStore & { saved: unknown[] } {
  const positions = new Map<string, Awaited<ReturnType<ReplayStore['load']>>>()
  const saved: unknown[] = []
  return {
    saved,
    load: async (key) => positions.get(JSON.stringify(key)),
    async save(key, position) {
      positions.set(JSON.stringify(key), position)
      saved.push(position.replayId)
    },
  }
}
