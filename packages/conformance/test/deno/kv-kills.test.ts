import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type DenoProcess, startDeno } from './deno-process.ts'

const channel = '/event/Order_Event__e'
const folder = mkdtempSync(join(tmpdir(), 'sfstream-kv-'))
const file = join(folder, 'positions.db')
const processes: DenoProcess[] = []
let server: MockOrgServer
let published = 0

beforeAll(async () => {
  server = await startMockOrgServer()
})
afterAll(async () => {
  for (const process of processes) process.kill('SIGKILL')
  await Promise.all(processes.map(({ ended }) => ended))
  await server.close()
  rmSync(folder, { recursive: true })
})

function start(): DenoProcess {
  // The permissions of the README, for this very file.
  const flags = ['--unstable-kv', `--allow-net=${new URL(server.url).host}`, `--allow-read=${file}`, `--allow-write=${file}`]
  const process = startDeno('kv-stream.mjs', [JSON.stringify(server.org.session()), channel, file], { flags })
  processes.push(process)
  return process
}
const publish = (count: number): void => {
  for (let each = 0; each < count; each++) server.org.publish(channel, { Number__c: ++published })
}
/** What a process printed: events, and how far the positions it could vouch for had come. Cut-off lines do not count. */
function told({ out }: DenoProcess): { events: number[]; durable: number } {
  const lines = [...out.matchAll(/^event (\d+) (\d+) durable (\w+)$/gm)]
  const numbers = new Map(lines.map(([, number, id]) => [id, Number(number)]))
  return { events: lines.map(([, number]) => Number(number)), durable: numbers.get(lines.at(-1)?.[3]) ?? 0 }
}
const until = (process: DenoProcess, condition: () => unknown): Promise<unknown> =>
  vi.waitUntil(condition, { timeout: 20_000, interval: 5 }).catch((error: Error) => {
    throw new Error(`${error.message}\n${process.out.slice(-2_000)}`)
  })

test('killed eight times in mid-stream, with events published before, while and after: lost 0, and what was durable does not come again', async () => {
  const runs: { events: number[]; durable: number }[] = []
  let process = start()
  await until(process, () => server.org.inspect.subscriptions[channel] === 1)
  publish(1)
  await until(process, () => told(process).events.length === 1)
  for (let kill = 1; kill <= 8; kill++) {
    publish(120)
    // Each time at another event, with more of them in its buffer; the first time only when there is a position to go on from.
    await until(process, () => told(process).events.length >= kill * 9 && told(process).durable > 0)
    process.kill('SIGKILL')
    expect(await process.ended).toBeUndefined()
    runs.push(told(process))
    expect(runs.at(-1)?.events.at(-1)).toBeLessThan(published)
    publish(10)
    process = start()
  }
  await until(process, () => told(process).events.at(-1) === published)
  runs.push(told(process))

  for (const [at, { events }] of runs.entries()) {
    const before = runs[at - 1]
    if (before) {
      expect(events[0]).toBeGreaterThan(before.durable)
      expect(events[0]).toBeLessThanOrEqual(before.events.at(-1)! + 1)
    }
    expect(events).toEqual(Array.from({ length: events.length }, (_, each) => events[0]! + each))
  }
  expect([...new Set(runs.flatMap(({ events }) => events))]).toEqual(Array.from({ length: published }, (_, at) => at + 1))
})
