import { createClient, memoryReplayStore } from '@sfstream/core'
import { virtualClock } from '@sfstream/mock-org'
import { relay } from '@sfstream/relay/client'
import { describe, expect, test } from 'vitest'
import { channel, url } from './relay-bench.ts'

const org = '00D000000000001'
const cursor = (position: number): string => `1~${org}~${encodeURIComponent(channel)}=${position}`
const sse = (data: unknown, { event, id }: { event?: string; id?: number | undefined } = {}): string =>
  `${event ? `event: ${event}\n` : ''}${id === undefined ? '' : `id: ${cursor(id)}\n`}data: ${JSON.stringify(data)}\n\n`

const hello = sse({ org, live: true, now: 0, heartbeatMs: 15_000 }, { event: 'hello' })
const subscribed = (position: number): string => sse({ channel }, { event: 'subscribed', id: position })
const event = (n: unknown, id: number | undefined, replayId: unknown = n): string =>
  sse({ channel, data: { payload: { n }, event: { replayId, EventUuid: `uuid-${n}` } } }, { id })
const stopped = { name: 'StateError', code: 'client_stopped', message: 'It was stopped.', remediation: 'Start it again.', retryable: true }
const failed = sse({ channel, error: stopped }, { event: 'failed' })
const waiting = sse({ channel }, { event: 'waiting' })

/** What a client sees of a relay whose first stream comes in these pieces; later ones bring what follows their cursor, of four events. */
async function seenOf(pieces: (string | Uint8Array)[]): Promise<unknown[]> {
  const clock = virtualClock()
  let streams = 0
  const platform = {
    async fetch(input: string | URL, init?: RequestInit): Promise<Response> {
      const request = new Request(input, init)
      if (!request.headers.get('accept')?.includes('event-stream')) return Response.json({ org, channels: [channel], heartbeatMs: 15_000 })
      const from = Number(new URL(request.url).searchParams.get('cursor')?.split('=')[1])
      const following = [1, 2, 3, 4].filter((n) => n > from).map((n) => event(n, n))
      const left = streams++ === 0 ? [...pieces] : [hello + subscribed(from) + following.join('')]
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const piece = left.shift()
          if (piece === undefined) return new Promise(() => {})
          controller.enqueue(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece)
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    },
    now: clock.now,
    delay: clock.delay,
    random: clock.random,
  }
  const client = createClient({ source: relay(url, { platform }), replayStore: memoryReplayStore(), platform })
  const seen: unknown[] = []
  const loop = async (): Promise<void> => {
    for await (const { payload } of client.subscribe<{ n: unknown }>(channel, { replay: 0 })) seen.push(payload.n)
  }
  loop().catch((error: unknown) => seen.push(String(error)))
  await clock.advance(60_000)
  await client.stop()
  return seen
}

describe('the pieces in which a stream comes', () => {
  test.each([
    ['events and the end of the org’s client', [event(1, 1) + event(2, 2) + failed]],
    ['the same in two', [event(1, 1) + event(2, 2), failed]],
    ['events and one that is damaged', [`${event(1, 1)}${event(2, 2)}data: {"x\n\n`]],
  ])('%s: no event is passed over', async (_, pieces) => {
    expect(await seenOf([hello + subscribed(0), ...pieces])).toEqual([1, 2, 3, 4])
  })

  test('served anew amid the events of one replay id, which begin again: each comes once', async () => {
    const first = [hello + subscribed(0), event(1, 1), event(2, undefined), waiting]
    expect(await seenOf([...first, subscribed(1), event(2, undefined) + event(3, 2, 2), event(4, 4)])).toEqual([1, 2, 3, 4])
  })

  test('of one byte, with characters of four', async () => {
    const text = '€😀\u2028é\r'
    const bytes = new TextEncoder().encode(hello + subscribed(0) + event(text, 1, 1))
    expect(await seenOf([...bytes].map((byte) => Uint8Array.of(byte)))).toContain(text)
  })
})
