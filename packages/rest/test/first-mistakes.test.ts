import { expect, test } from 'vitest'
import { createRestClient, type RestClient } from '../src/index.ts'

const auth = { accessToken: '00Dxx0000001gER!token', instanceUrl: 'https://acme.my.salesforce.com' }
let sent = 0
const fetch = async (): Promise<Response> => {
  sent++
  return new Response('{}', { headers: { 'content-type': 'application/json' } })
}
const rest = createRestClient({ auth, platform: { fetch } })

test.each<[string, (rest: RestClient) => Promise<unknown>, object]>([
  ['no path', () => rest.get(undefined as never), { code: 'bad_option', message: 'The path is undefined.' }],
  [
    'a slip in an option',
    () => rest.get('query', { querry: { q: 'SELECT Id FROM Account' } } as object),
    { code: 'bad_option', message: "A request has no option 'querry'." },
  ],
  ['no event', () => rest.publish(undefined as never, {}), { code: 'bad_channel', message: "'undefined' is not text." }],
  [
    'no fields',
    () => rest.publish('Order__e', undefined as never),
    { code: 'bad_option', message: 'The fields of Order__e are undefined.' },
  ],
  ['fields as text', () => rest.publish('Order__e', '{}' as never), { code: 'bad_option', message: 'The fields of Order__e are string.' }],
  [
    'a payload that is no text',
    () => rest.push('/u/Notices', { text: 'x' } as never),
    { code: 'bad_option', message: 'The payload for /u/Notices is object.' },
  ],
])('%s: rejects with what is wrong, before anything is sent', async (_, call, error) => {
  sent = 0
  await expect(call(rest)).rejects.toMatchObject({ name: 'StateError', ...error })
  expect(sent).toBe(0)
})

test('a slip in an option of the client is told, not taken for the default', () => {
  expect(() => createRestClient({ auth, version: '60.0' } as never)).toThrow("createRestClient() has no option 'version'.")
})

test('a host that cannot be reached: why stands in the message, without the token', async () => {
  const platform = {
    fetch: async (): Promise<Response> => {
      throw new TypeError('fetch failed', { cause: new Error(`getaddrinfo ENOTFOUND acme.my.salesforce.com ${auth.accessToken}`) })
    },
  }
  await expect(createRestClient({ auth, platform }).get('limits')).rejects.toMatchObject({
    code: 'network',
    message:
      'GET acme.my.salesforce.com/services/data/v66.0/limits could not be reached: getaddrinfo ENOTFOUND acme.my.salesforce.com [token].',
  })
})
