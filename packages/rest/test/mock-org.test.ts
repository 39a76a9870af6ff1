import { createMockOrg } from '@sfstream/mock-org'
import { createRestClient } from '@sfstream/rest'
import { expect, test } from 'vitest'
import { failure } from './scripted-platform.ts'

function setUp() {
  const org = createMockOrg({ channels: ['/event/Order__e', '/u/News'], dynamicChannels: true })
  const rest = createRestClient({
    auth: async () => org.session(),
    apiVersion: 'latest',
    platform: { fetch: (input, init) => org.fetch(input, init) },
  })
  return { org, rest }
}

test('the simulated org lists its versions and limits', async () => {
  const { rest } = setUp()
  expect((await rest.versions()).at(-1)?.version).toBe('67.0')
  expect((await rest.limits()).DailyStreamingApiEvents).toMatchObject({ Max: expect.any(Number), Remaining: expect.any(Number) })
})

test('publish and push reach the simulated org; what it does not have is refused', async () => {
  const { rest } = setUp()
  const { id, eventUuid } = await rest.publish('/event/Order__e', { Amount__c: 7 })
  expect(id).toMatch(/^e\w{14,17}$/)
  expect(eventUuid).toBeTruthy()
  expect(await rest.push('/u/News', 'hello')).toEqual({ fanoutCount: -1, userOnlineStatus: {} })
  expect(await failure(rest.publish('Nothing__e', {}))).toMatchObject({ code: 'request_refused', server: { error: 'NOT_FOUND' } })
  expect(await failure(rest.push('/u/news', 'other case'))).toMatchObject({ code: 'bad_channel' })
})

test('S25 a revoked token is survived by one new login', async () => {
  const { org, rest } = setUp()
  const hosts = (): string[] =>
    org.inspect.requests.filter((request) => request.path.endsWith('/limits')).map((request) => `${request.origin} ${request.status}`)
  await rest.limits()
  org.faults.revokeTokens()
  await rest.limits()
  const before = org.url
  expect(hosts()).toEqual([`${before} 200`, `${before} 401`, `${before} 200`])
})
