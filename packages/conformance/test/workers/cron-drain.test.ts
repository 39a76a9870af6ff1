import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { Miniflare, supportedCompatibilityDate } from 'miniflare'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sink, startSink } from './sink.ts'
import { bundleWorker } from './worker.ts'

interface Batch {
  numbers: number[]
  report: { events: number; ended: string }
}

let server: MockOrgServer
let sink: Sink<Batch>
let miniflare: Miniflare

beforeAll(async () => {
  server = await startMockOrgServer()
  sink = await startSink()
  miniflare = new Miniflare({
    modules: true,
    script: await bundleWorker('cron-worker.ts'),
    compatibilityDate: supportedCompatibilityDate,
    kvNamespaces: ['POSITIONS'],
    bindings: { ...server.org.session(), sinkUrl: sink.url },
  })
})
afterAll(async () => {
  await miniflare.dispose()
  sink.close()
  await server.close()
})

test('a backlog of 10,000 is worked off by one cron trigger after another, each bounded: nothing is lost or repeated', async () => {
  for (let number = 1; number <= 10_000; number++) server.org.publish('/event/Order_Event__e', { Number__c: number })
  // miniflare's own type of it leaves the handler out.
  const worker = (await miniflare.getWorker()) as unknown as { scheduled(event: { cron: string }): Promise<unknown> }
  for (let trigger = 0; trigger < 5; trigger++) await worker.scheduled({ cron: '* * * * *' })
  expect(sink.posts.map(({ report }) => [report.events, report.ended])).toEqual([
    [3_000, 'maxEvents'],
    [3_000, 'maxEvents'],
    [3_000, 'maxEvents'],
    [1_000, 'idle'],
    [0, 'idle'],
  ])
  expect(sink.posts.flatMap(({ numbers }) => numbers)).toEqual(Array.from({ length: 10_000 }, (_, at) => at + 1))
  expect(server.org.inspect.slots.used).toBe(0)
})
