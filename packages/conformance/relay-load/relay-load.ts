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

export interface Percentiles {
  p50: number
  p95: number
  p99: number
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
  /** From when a loop on the relay's own client has an event to when each reader has it. */
  latencyMs: Percentiles
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

    const sessions = server.org.inspect.slots.used
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

    return {
      sessions,
      complete: complete as number,
      stalledComplete: true,
      stalledAt: stalledAt as number,
      memory,
      catchUps: (last.stats as { catchUps: number }).catchUps,
      latencyMs: percentiles(arrivals as string[], times as string[][]),
    }
  } finally {
    for (const child of children) await child.stop()
    await server.close()
  }
}

/** The same, of a bare loop that writes to every socket: what the readers, the kernel and the machine take. */
export async function bareLatency(readers: number, singles: number): Promise<Percentiles> {
  const children: Child[] = []
  try {
    const bare = start('bare-process.mjs', [])
    children.push(bare)
    const { port } = await bare.next('port')
    const crowd = start('readers-process.mjs', [`http://127.0.0.1:${port}`, channel, String(readers)])
    children.push(crowd)
    await until(async () => (await crowd.ask('flowing')).flowing === readers)
    for (let number = 1; number <= singles; number++) {
      await bare.ask(`write ${number}`, false)
      await until(async () => (await crowd.ask(`complete 1 ${number}`)).complete === readers - 1)
    }
    const { arrivals } = await bare.ask('arrivals')
    const { times } = await crowd.ask(`times ${singles}`)
    return percentiles(arrivals as string[], times as string[][])
  } finally {
    for (const child of children) await child.stop()
  }
}

/** Over every event and reader; the first events, before anything is warm, are left out. */
function percentiles(arrivals: readonly string[], times: readonly (readonly string[])[]): Percentiles {
  const cold = 10
  const taken = times.flatMap((each) => each.map((at, index) => Number(BigInt(at) - BigInt(arrivals[index + 1] ?? 0)) / 1e6).slice(cold))
  taken.sort((a, b) => a - b)
  const at = (share: number): number => Math.round((taken[Math.floor(taken.length * share)] ?? Number.NaN) * 100) / 100
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
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
