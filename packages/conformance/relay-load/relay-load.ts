import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { startMockOrgServer } from '@sfstream/mock-org/node'

export interface RelayLoadOptions {
  readers: number
  /** Published one at a time, for the latency. */
  singles: number
  /** Published as fast as they are taken, for the memory. */
  burst: number
}

export interface RelayLoad {
  sessions: number
  /** Of the readers that read: how many have every event once and in order. */
  complete: number
  /** Whether the one that stood still had everything once it read again, and how many events it had had before. */
  stalledComplete: boolean
  stalledAt: number
  /** Heap and buffers after a collection, in MB: with all readers connected, then during the burst, then after it. */
  memory: { heap: number; rss: number }[]
  catchUps: number
  /** From an event's arrival at the relay to each reader. */
  addedMs: { p50: number; p95: number; p99: number }
}

const channel = '/event/Order_Event__e'
const payload = 'x'.repeat(2_000)

/** Many readers on one relay, one of which stands still. Everything is told apart by process: org (here), relay, readers. */
export async function relayLoad({ readers, singles, burst }: RelayLoadOptions): Promise<RelayLoad> {
  const server = await startMockOrgServer()
  const children: Child[] = []
  let published = 0
  const publish = (): unknown =>
    server.org.publish(channel, { Number__c: ++published, ...(published > singles ? { Text__c: payload } : {}) })
  try {
    const relay = start('relay-process.mjs', [JSON.stringify(server.org.session()), channel], ['--expose-gc'])
    children.push(relay)
    const { port } = await relay.next('port')
    const crowd = start('readers-process.mjs', [`http://127.0.0.1:${port}`, channel, String(readers)])
    children.push(crowd)
    await until(async () => (await crowd.ask('flowing')).flowing === readers)
    const memory = [await memoryOf(relay)]

    for (let each = 0; each < singles; each++) {
      publish()
      await until(async () => (await crowd.ask(`complete 1 ${published}`)).complete === readers - 1)
    }
    const { arrivals } = await relay.ask('arrivals')
    const { times } = await crowd.ask(`times ${singles}`)

    await crowd.ask('stall', false)
    const steps = 10
    for (let step = 0; step < steps; step++) {
      for (let each = 0; each < burst / steps; each++) publish()
      await until(async () => (await crowd.ask(`complete 1 ${published}`)).complete === readers - 1)
      memory.push(await memoryOf(relay))
    }
    const { complete, stalledAt } = await crowd.ask(`complete 1 ${published}`)
    await crowd.ask('read', false)
    await until(async () => (await crowd.ask(`complete 1 ${published}`)).stalled === true)
    const last = await relay.ask('memory')
    memory.push(last.memory as RelayLoad['memory'][number])

    const added = (times as string[][]).flatMap((each) =>
      each.map((at, index) => Number(BigInt(at) - BigInt((arrivals as string[])[index + 1] ?? 0)) / 1e6),
    )
    added.sort((a, b) => a - b)
    const percentile = (share: number): number => Math.round((added[Math.floor(added.length * share)] ?? Number.NaN) * 100) / 100
    return {
      sessions: server.org.inspect.slots.peak - (last.stats as { catchUps: number }).catchUps,
      complete: complete as number,
      stalledComplete: true,
      stalledAt: stalledAt as number,
      memory,
      catchUps: (last.stats as { catchUps: number }).catchUps,
      addedMs: { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99) },
    }
  } finally {
    for (const child of children) await child.stop()
    await server.close()
  }
}

interface Child {
  ask(line: string, answered?: boolean): Promise<Record<string, unknown>>
  next(key: string): Promise<Record<string, unknown>>
  stop(): Promise<void>
}

function start(file: string, args: readonly string[], nodeArgs: readonly string[] = []): Child {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const child: ChildProcess = spawn(process.execPath, [...nodeArgs, path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const read = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${file} has ended`)
    const told = JSON.parse(value) as Record<string, unknown>
    if ('error' in told) throw new Error(`${file}: ${told.error}`)
    return told
  }
  return {
    async ask(line, answered = true) {
      child.stdin!.write(`${line}\n`)
      return answered ? read() : {}
    },
    async next(key) {
      const told = await read()
      if (!(key in told)) throw new Error(`${file} told ${JSON.stringify(told)}`)
      return told
    },
    async stop() {
      // It may have ended by itself.
      child.stdin!.on('error', () => {}).end('stop\n')
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await closed
      clearTimeout(timer)
    },
  }
}

async function memoryOf(relay: Child): Promise<RelayLoad['memory'][number]> {
  return (await relay.ask('memory')).memory as RelayLoad['memory'][number]
}

/** Asks again until it holds; the readers tell only when asked, so that telling costs nothing meanwhile. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const limit = Date.now() + 60_000
  while (!(await condition())) {
    if (Date.now() > limit) throw new Error('not within 60 s')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
