import { type ClientStatus, createClient } from '@sfstream/core'
import { virtualClock } from '@sfstream/mock-org'
import { type RelayClientOptions, relay } from '@sfstream/relay/client'
import { expect, test } from 'vitest'
import { channel, url } from './relay-bench.ts'

type Answer = (request: Request) => Response | Promise<Response>

const told = { org: '00D000000000001', channels: [channel], heartbeatMs: 15_000 }

/** A client whose relay answers as it is told to: one answer after another, the last one for ever. */
function against(...answers: Answer[]) {
  return againstWith({ 'x-key': 'k' }, ...answers)
}

function againstWith(headers: RelayClientOptions['headers'], ...answers: Answer[]) {
  const clock = virtualClock()
  const requests: Request[] = []
  const platform = {
    fetch: async (input: string | URL, init?: RequestInit): Promise<Response> => {
      const request = new Request(input, init)
      requests.push(request)
      return (answers.length > 1 ? answers.shift() : answers[0])!(request)
    },
    now: clock.now,
    delay: clock.delay,
    random: clock.random,
  }
  const client = createClient({ source: relay(url, { platform, ...(headers && { headers }) }), replayStore: null, platform })
  const statuses: ClientStatus[] = []
  void (async () => {
    for await (const status of client.status()) statuses.push(status)
  })()
  return { clock, client, requests, statuses }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
/** Sends these, and then nothing more; or breaks off. */
const body = (texts: readonly string[], end: 'stays' | 'breaks' = 'stays'): ReadableStream<Uint8Array> => {
  const left = [...texts]
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const text = left.shift()
      if (text !== undefined) return controller.enqueue(bytes(text))
      if (end === 'breaks') return controller.error(new TypeError('terminated'))
      await new Promise<void>(() => {})
    },
  })
}

test.each<[string, Answer]>([
  ['never answers', () => new Promise<Response>(() => {})],
  ['never ends its answer', () => new Response(body(['{"org":']))],
  ['breaks its answer off', () => new Response(body(['{"org":'], 'breaks'))],
  ['never ends a refusal', () => new Response(body(['{"error":']), { status: 503 })],
  ['is being begun again', () => new Response('<html>', { status: 502 })],
])('a relay that %s is asked again, and found when it is back', async (_, answer) => {
  const { clock, client, requests } = against(answer, () => Response.json(told))
  const started = client.start()
  await clock.runUntil(() => client.state === 'live', 120_000)
  await started
  expect(requests.length).toBe(2)
  await client.stop()
})

test('a page in place of a relay that never ends is read for so long, and no longer', async () => {
  let sent = 0
  const endless = (): Response =>
    new Response(
      new ReadableStream<Uint8Array>({
        pull(controller) {
          sent += 65_536
          controller.enqueue(new Uint8Array(65_536).fill(32))
        },
      }),
    )
  const { clock, client } = against(endless)
  const started = client.start()
  started.catch(() => {})
  await clock.runUntil(() => client.state === 'failed', 120_000)
  await expect(started).rejects.toMatchObject({ code: 'bad_reply' })
  expect(sent).toBeLessThan(4_000_000)
  await client.stop()
})

test.each([
  ['as the runtime shows it', () => new Response(null, { status: 302, headers: { location: 'https://elsewhere.example/' } })],
  [
    'as a browser hides it',
    () => Object.defineProperties(new Response(null), { status: { value: 0 }, ok: { value: false }, type: { value: 'opaqueredirect' } }),
  ],
])('a redirect is not followed, for the headers are for the relay alone: %s', async (_, answer) => {
  const { clock, client, requests } = against(answer)
  const started = client.start()
  started.catch(() => {})
  await clock.runUntil(() => client.state === 'failed', 120_000)
  await expect(started).rejects.toMatchObject({ code: 'redirected', name: 'TransportError' })
  expect(requests.map(({ redirect }) => redirect)).toEqual(['manual'])
  await client.stop()
})

test.each([
  ['of one line', (part: string) => part],
  ['of many', (part: string) => `data: ${part}\n`],
])('an event that is too large for memory, %s, is message_too_large', async (_, line) => {
  const part = 'x'.repeat(1_048_576)
  const start = 'event: hello\ndata: {"org":"00D000000000001","live":true,"heartbeatMs":15000}\n\ndata: '
  const stream = (): Response =>
    new Response(body([start, ...Array.from({ length: 20 }, () => line(part))]), { headers: { 'content-type': 'text/event-stream' } })
  const { clock, client } = against(() => Response.json(told), stream)
  const subscription = client.subscribe(channel)
  const first = subscription[Symbol.asyncIterator]().next()
  first.catch(() => {})
  await clock.runUntil(() => client.state === 'failed', 120_000)
  await expect(first).rejects.toMatchObject({ code: 'message_too_large', name: 'ProtocolError' })
  await client.stop()
})

test('credentials in the URL are refused, and told nowhere', () => {
  expect(() => relay('https://ada:secret@relay.example/events')).toThrow(expect.objectContaining({ code: 'bad_option' }))
  expect(() => relay('https://ada:secret@relay.example/events')).not.toThrow(/secret/)
})

test.each([
  ['in seconds', () => '60', 60_000, 61_000],
  ['as a date', (now: number) => new Date(now + 60_000).toUTCString(), 59_000, 61_000],
  ['of more than an hour, which is none', () => '86400', 3_600_000, 3_601_000],
  ['that is over', (now: number) => new Date(now - 60_000).toUTCString(), 0, 1_000],
  ['that cannot be read', () => 'soon', 0, 1_000],
] as const)('a relay that asks for time is given it: %s', async (_, wait, least, most) => {
  const it = against(
    () => new Response('', { status: 503, headers: { 'retry-after': wait(it.clock.now()) } }),
    () => Response.json(told),
  )
  const { clock, client } = it
  const at = clock.now()
  const started = client.start()
  await clock.runUntil(() => client.state === 'live', 4_000_000)
  await started
  expect(clock.now() - at).toBeGreaterThanOrEqual(least)
  expect(clock.now() - at).toBeLessThan(most)
  await client.stop()
})

test('channels that are opened and closed meanwhile do not cut that time short, and are in the stream that follows', async () => {
  const { clock, client, requests } = against(
    () => Response.json(told),
    () => new Response('', { status: 503, headers: { 'retry-after': '60' } }),
  )
  client.subscribe(channel)
  await clock.runUntil(() => requests.length === 2, 1_000)
  await clock.advance(20_000)
  const closed = client.subscribe('/event/Closed__e')
  client.subscribe('/event/Opened__e')
  await clock.advance(20_000)
  await closed.close()
  await clock.advance(19_000)
  expect(requests).toHaveLength(2)
  await clock.advance(2_000)
  expect(requests).toHaveLength(3)
  expect(new URL(requests[2]!.url).searchParams.getAll('channel')).toEqual([channel, '/event/Opened__e'])
  await client.stop()
  expect(clock.pending).toBe(0)
})

test('headers that were refused are made anew once, and once again when they had been accepted meanwhile', async () => {
  let asked = 0
  const refused = (): Response => new Response('', { status: 401 })
  const cut = (): Response => new Response(body([], 'breaks'), { headers: { 'content-type': 'text/event-stream' } })
  const answers: Answer[] = [refused, () => Response.json(told), refused, cut, refused, refused]
  const { clock, client, requests } = againstWith(() => ({ 'x-key': String(++asked) }), ...answers)
  const first = client.subscribe(channel)[Symbol.asyncIterator]().next()
  first.catch(() => {})
  await clock.runUntil(() => client.state === 'failed', 120_000)
  await expect(first).rejects.toMatchObject({ code: 'login_refused', name: 'AuthenticationError' })
  expect(requests.map(({ headers }) => headers.get('x-key'))).toEqual(['1', '2', '3', '4', '5', '6'])
  await client.stop()
})

test('a stream that falls silent is begun again, and said to be', async () => {
  const hello = 'event: hello\ndata: {"org":"00D000000000001","live":true,"heartbeatMs":1000}\n\n'
  const stream = (): Response => new Response(body([hello]), { headers: { 'content-type': 'text/event-stream' } })
  const { clock, client, requests, statuses } = against(() => Response.json(told), stream)
  void client.subscribe(channel)
  await clock.runUntil(() => requests.length === 3, 120_000)
  expect(statuses).toContainEqual(
    expect.objectContaining({ type: 'retry', what: 'connect', error: expect.objectContaining({ code: 'timeout', retryable: true }) }),
  )
  await client.stop()
  expect(clock.pending).toBe(0)
})

test.each([
  ['of nobody', (): string => 'data: {}\n\n', 100],
  ['of a channel that names no position', (): string => `data: {"channel":"${channel}","data":{}}\n\n`, 100],
  [
    'that brings the channel further',
    (at: number): string => `id: 1~o~${encodeURIComponent(channel)}=${at}\ndata: {"channel":"${channel}"}\n\n`,
    3_000,
  ],
])('a relay that breaks every stream off after an event %s is asked ever less often, unless that gets on', async (_, event, most) => {
  let at = 0
  const hello = 'event: hello\ndata: {"org":"00D000000000001","live":true,"heartbeatMs":1000}\n\n'
  const stream = (): Response => new Response(body([hello + event(++at)], 'breaks'), { headers: { 'content-type': 'text/event-stream' } })
  const { clock, client, requests } = against(() => Response.json(told), stream)
  void (async () => {
    for await (const _ of client.subscribe(channel));
  })()
  await clock.advance(600_000)
  expect(requests.length).toBeLessThan(most)
  expect(requests.length).toBeGreaterThan(most / 10)
  await client.stop()
  expect(clock.pending).toBe(0)
})
