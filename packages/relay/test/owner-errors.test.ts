import { createRelay, type RelayOptions } from '@sfstream/relay'
import { expect, test } from 'vitest'

const channel = '/event/Order__e'
const ask = (options: Partial<RelayOptions>): Promise<{ status: number; text: string; told: unknown[] }> => {
  const told: unknown[] = []
  const relay = createRelay({
    connect: () => {
      throw new Error('no secret in the vault')
    },
    channels: [channel],
    authorize: () => true,
    onError: (error) => told.push(error),
    ...options,
  })
  const request = new Request(`https://relay.example/?channel=${encodeURIComponent(channel)}`, { headers: { accept: 'text/event-stream' } })
  return relay(request).then(async (response) => ({ status: response.status, text: await response.text(), told }))
}

test.each([
  ['authorize', { authorize: () => Promise.reject(new Error('db down')) }, 'db down'],
  [
    'limitBy',
    {
      limitBy: () => {
        throw new Error('no such header')
      },
    },
    'no such header',
  ],
  ['connect', {}, 'no secret in the vault'],
  ['a connect that returns nothing', { connect: () => undefined as never }, 'returned nothing'],
])('what %s throws is told to the owner, and not to the reader', async (_, options, message) => {
  const { status, text, told } = await ask(options as Partial<RelayOptions>)
  expect(status).toBe(503)
  expect(text).not.toContain(message)
  expect(told).toHaveLength(1)
  expect(String(told[0])).toContain(message)
})

test('an onError that throws breaks nothing', async () => {
  const throwing = (): never => {
    throw new Error('logger down')
  }
  expect((await ask({ onError: throwing })).status).toBe(503)
})

test.each([
  [{ heartbeat: 5 }, "no option 'heartbeat'"],
  [{ limitBy: 5 }, 'limitBy is 5'],
  [{ onError: 'log' }, "onError is 'log'"],
  [{ cors: { origins: ['https://a.example/'] } }, "cors.origins is 'https://a.example/'"],
])('%j is refused', (options, message) => {
  expect(() =>
    createRelay({ connect: () => undefined as never, channels: [channel], authorize: () => true, ...(options as object) }),
  ).toThrow(expect.objectContaining({ code: 'bad_option', message: expect.stringContaining(message) }))
})
