import type { Batch, OpenRequest } from '@sfstream/core'
import { virtualClock } from '@sfstream/mock-org'
import { relay } from '@sfstream/relay/client'
import { expect, test } from 'vitest'
import { channel, other, url } from './relay-bench.ts'

const org = '00D000000000001'
const frame = (event: string, id: string, data: unknown): Uint8Array =>
  new TextEncoder().encode(`${event && `event: ${event}\n`}${id && `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`)
const cursor = (position: number): string => `1~${org}~${encodeURIComponent(channel)}=${position}`
const event = (id: number): Uint8Array => frame('', cursor(id), { channel, data: { event: { replayId: id }, payload: {} } })

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

/** A Source, and the streams it has asked for, which the test writes. */
function bench(answer?: (query: URLSearchParams) => Promise<Response> | undefined) {
  const clock = virtualClock()
  const streams: { query: URLSearchParams; out: ReadableStreamDefaultController<Uint8Array> }[] = []
  const platform = {
    now: clock.now,
    delay: clock.delay,
    random: clock.random,
    fetch: async (input: string | URL): Promise<Response> => {
      const query = new URL(input).searchParams
      const given = answer?.(query)
      if (given) return given
      if (!query.has('channel')) return Response.json({ org })
      const body = new ReadableStream<Uint8Array>({
        start(out) {
          streams.push({ query, out })
          out.enqueue(frame('hello', '', { org, live: true, heartbeatMs: 15_000 }))
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    },
  }
  const source = relay(url, { platform })
  const states: string[] = []
  source.observe({ status: (status) => void (status.type === 'state' && states.push(status.state)) })
  const open = (on: string, position: OpenRequest['position']) => {
    const controller = new AbortController()
    const batches: Batch[] = []
    const { accepted, batches: coming } = source.open({ channel: on, position, signal: controller.signal, room: () => 100 })
    accepted.catch(() => {})
    const ended = (async () => {
      for await (const batch of coming) batches.push(batch)
    })()
    ended.catch(() => {})
    return { close: () => controller.abort(new Error('closed')), batches, ended }
  }
  return { clock, source, streams, states, open }
}

test.each(Array.from({ length: 12 }, (_, hops) => hops))(
  'what an earlier stream still brings is nothing to a channel that is opened anew (%i turns after it came)',
  async (hops) => {
    const { clock, source, streams, open } = bench()
    const first = open(channel, 40)
    await clock.runUntil(() => streams.length === 1)
    streams[0]?.out.enqueue(frame('subscribed', cursor(40), { channel }))
    await clock.advance(10)
    streams[0]?.out.enqueue(event(50))
    await turns(hops)
    first.close()
    const again = open(channel, 10)
    await clock.runUntil(() => streams.length === 2)
    expect(streams[1]?.query.get('cursor')).toBe(cursor(10))
    expect(again.batches).toEqual([])
    await source.stop()
  },
)

test.each(Array.from({ length: 30 }, (_, hops) => hops))(
  'a refusal of a channel that was closed meanwhile is not the end of the others (%i turns after it came)',
  async (hops) => {
    let answer = (_: Response): void => {}
    const { clock, source, streams, open } = bench((query) =>
      query.getAll('channel').includes(other) ? new Promise((resolve) => (answer = resolve)) : undefined,
    )
    const kept = open(channel, 40)
    const refused = open(other, 'new')
    let ended: unknown
    kept.ended.catch((error) => {
      ended = error
    })
    await clock.advance(10)
    answer(Response.json({ error: { name: 'SubscribeError', code: 'subscribe_refused', message: 'No.', channel: other } }, { status: 403 }))
    await turns(hops)
    refused.close()
    await clock.runUntil(() => streams.length === 1 || ended !== undefined)
    expect(ended).toBeUndefined()
    await source.stop()
  },
)

test.each(Array.from({ length: 30 }, (_, hops) => hops))(
  'nothing is live once it was stopped (%i turns after the relay answered)',
  async (hops) => {
    let answer = (_: Response): void => {}
    const { clock, source, states } = bench(() => new Promise((resolve) => (answer = resolve)))
    source.start().catch(() => {})
    await clock.advance(10)
    answer(Response.json({ org }))
    await turns(hops)
    await source.stop()
    await clock.advance(1_000)
    expect(states.at(-1)).toBe('stopped')
  },
)
