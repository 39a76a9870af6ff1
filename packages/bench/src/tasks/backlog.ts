import { setTimeout as sleep } from 'node:timers/promises'
import type { Payload } from '../clients/bench-client.ts'
import { auth } from '../clients/sfstream.ts'
import { eventBatch, firstNumber } from '../server/event-batch.ts'
import { loadCreateClient } from './create-client.ts'
import type { BacklogJob, BacklogResult } from './job.ts'
import { liveHeap, restingHeap } from './live-heap.ts'
import { spin } from './spin.ts'

/** The client's own default. */
const maxBuffered = 1_000
const samples = 100

export async function backlogTask({ client, url, events, batch, workUs, stallMs }: BacklogJob): Promise<BacklogResult> {
  const createClient = await loadCreateClient(client)
  const source = createClient({ auth: auth(url), replayStore: null })
  const subscription = source.subscribe<Payload>('/event/Bench__e', { replay: 'all' })
  const live: [number, number][] = []
  const startedAt = performance.now()
  let taken = 0
  let peak = 0
  let outOfOrder = 0
  for await (const event of subscription) {
    if (event.payload.Number__c !== firstNumber + taken++) outOfOrder++
    spin(workUs)
    // Other things happen in a process that works: replies are read, timers fire.
    if (taken % 1_000 === 0) await sleep(1)
    if (taken === events / 2) await sleep(stallMs)
    if (taken % (events / samples) === 0) {
      peak = Math.max(peak, process.memoryUsage().heapUsed)
      live.push([taken, liveHeap()])
    }
    if (taken === events) break
  }
  const ms = performance.now() - startedAt
  await source.stop()
  // Code, tables and what else stays: no part of what is buffered.
  const base = await restingHeap()
  // Last, so that nothing of it is in the process before.
  const bound = await boundOf(maxBuffered + batch)
  return { ms, live: live.map(([at, bytes]) => [at, bytes - base]), peak: peak - base, bound, outOfOrder }
}

/**
 * Measured, not guessed: what so many events take once parsed, twice over for what a client keeps beside each; the text of a reply
 * read while the last one is parsed; and the identities of the last 10,000 events.
 */
async function boundOf(events: number): Promise<number> {
  const text = `[${eventBatch({ events, eventBytes: 400, channels: ['/event/Bench__e'] }).fill(firstNumber)}]`
  const before = await restingHeap()
  const parsed = JSON.parse(text) as unknown[]
  const parsedBytes = (await restingHeap()) - before
  const identities = 10_000 * 100
  return parsed.length > 0 ? 2 * parsedBytes + 2 * text.length + identities : 0
}
