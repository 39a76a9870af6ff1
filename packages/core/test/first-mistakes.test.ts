import { createMockOrg } from '@sfstream/mock-org'
import { afterEach, expect, test } from 'vitest'
import { type ClientOptions, createClient, type ReplayStore, type StreamingClient, type SubscribeOptions } from '../src/index.ts'

/** What newcomers get wrong, and what they are told. */

const org = createMockOrg({ channels: ['/event/Order__e'] })
const made: StreamingClient[] = []
const client = (options: Partial<ClientOptions> = {}): StreamingClient => {
  const it = createClient({ auth: org.session(), replayStore: null, platform: { fetch: org.fetch }, ...options } as ClientOptions)
  made.push(it)
  return it
}
afterEach(async () => {
  await Promise.all(made.splice(0).map((each) => each.stop()))
})

test.each([
  ['nothing in it', {}],
  ['a reply of the token endpoint', { access_token: 'x', instance_url: 'https://acme.my.salesforce.com' }],
  ['a promise of a session', Promise.resolve(org.session())],
])('auth is %s: refused at once, and not as a login that failed', (_, auth) => {
  const options = { auth } as unknown as ClientOptions
  expect(() => client(options)).toThrow(expect.objectContaining({ code: 'missing_credential', message: 'auth: `accessToken` is missing.' }))
})

test('a space before a channel is called that, and kept out of no advice', () => {
  expect(() => client().subscribe(' /event/Order__e')).toThrow(
    expect.objectContaining({ code: 'bad_channel', remediation: 'Mind spaces and slashes.' }),
  )
})

test.each([-1, -2, '-1'])("Salesforce's own %s names no position: the error says what does", (replay) => {
  const options = { replay } as SubscribeOptions
  expect(() => client().subscribe('/event/Order__e', options)).toThrow(
    expect.objectContaining({ code: 'bad_replay', remediation: expect.stringContaining("'new' (-1), 'all' (-2)") }),
  )
})

test('a store that answers with a bare replay id is told what load() gives', async () => {
  const replayStore = { load: async () => 5, save: async () => {} } as unknown as ReplayStore
  const { ready } = client({ replayStore }).subscribe('/event/Order__e')
  await expect(ready).rejects.toMatchObject({
    code: 'store_unreadable',
    message: 'The stored position of /event/Order__e could not be read: undefined is not a replay position.',
    remediation: expect.stringContaining('load() gives { replayId }'),
  })
})

test('a message that is too large: nobody is sent to look at the endpoint', async () => {
  const it = client()
  await it.start()
  await expect(it.send({ channel: '/service/x', data: 'x'.repeat(40_000) })).rejects.toMatchObject({
    code: 'request_too_large',
    remediation: 'Send less at once.',
  })
})
