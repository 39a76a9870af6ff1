import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { Miniflare, supportedCompatibilityDate } from 'miniflare'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sink, startSink } from '../workers/sink.ts'
import { bundleWorker } from '../workers/worker.ts'

const channel = '/event/Order_Event__e'
let server: MockOrgServer
let sink: Sink<{ Number__c: number }>
let miniflare: Miniflare

beforeAll(async () => {
  server = await startMockOrgServer()
  sink = await startSink()
  const { clientId, clientSecret } = server.org.credentials
  miniflare = new Miniflare({
    modules: true,
    script: await bundleWorker('../../../../examples/cron-drain/worker.ts'),
    compatibilityDate: supportedCompatibilityDate,
    kvNamespaces: ['POSITIONS'],
    bindings: {
      SF_LOGIN_URL: server.url,
      SF_CLIENT_ID: clientId,
      SF_CLIENT_SECRET: clientSecret,
      SF_CHANNEL: channel,
      TARGET_URL: sink.url,
    },
  })
})
afterAll(async () => {
  await miniflare.dispose()
  sink.close()
  await server.close()
})

test('posts every event once, a bounded number a trigger; what was refused comes first with the next', async () => {
  const worker = (await miniflare.getWorker()) as unknown as { scheduled(event: { cron: string }): Promise<{ outcome: string }> }
  const trigger = async (): Promise<string> => (await worker.scheduled({ cron: '* * * * *' })).outcome
  for (let number = 1; number <= 500; number++) server.org.publish(channel, { Number__c: number })
  sink.broken = true
  expect(await trigger()).toBe('exception')
  sink.broken = false
  expect(await trigger()).toBe('ok')
  expect(sink.posts).toHaveLength(400)
  expect(await trigger()).toBe('ok')
  expect(sink.posts.map(({ Number__c }) => Number__c)).toEqual(Array.from({ length: 500 }, (_, at) => at + 1))
})
