import { createClient, type StreamingClient } from '@sfstream/core'
import { relay as relaySource } from '@sfstream/relay/client'
import { describe, expect, test } from 'vitest'
import { channel, other, relayBench, url } from './relay-bench.ts'

describe('a relay-fed client', () => {
  test('gets what is published after it has subscribed, over one session', async () => {
    const bench = relayBench()
    const browsers = Array.from({ length: 3 }, () => bench.browser())
    const reads = browsers.map((browser) => browser.read())
    await bench.clock.runUntil(() => bench.relay.stats.clients === 3 && browsers.every(({ client }) => client.state === 'live'))
    await bench.clock.advance(1_000)
    bench.publish(5)
    await bench.clock.runUntil(() => reads.every(({ numbers }) => numbers.length === 5))
    for (const { numbers } of reads) expect(numbers).toEqual([1, 2, 3, 4, 5])
    expect(bench.org.inspect.handshakes).toBe(1)
    for (const { client } of browsers) await client.stop()
    await bench.relay.close()
    expect(bench.relay.stats).toMatchObject({ clients: 0, channels: 0 })
    expect(bench.org.inspect.subscriptions).toEqual({})
  })

  test('goes on after a cut, a restart of the relay, and a lost session of the org', async () => {
    const bench = relayBench()
    const browser = bench.browser()
    const { numbers } = browser.read()
    await bench.clock.runUntil(() => browser.client.state === 'live')
    await bench.clock.advance(1_000)
    bench.publish(2)
    await bench.clock.runUntil(() => numbers.length === 2)
    bench.cut()
    bench.publish(2)
    await bench.clock.runUntil(() => numbers.length === 4)
    bench.org.faults.loseSessions()
    bench.publish(2)
    await bench.clock.runUntil(() => numbers.length === 6)
    await bench.restart()
    bench.publish(2)
    await bench.clock.runUntil(() => numbers.length === 8)
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(bench.relay.stats.catchUps).toBe(1)
    await browser.client.stop()
    await bench.relay.close()
  })

  test('events of one id that come as a replay ends are all there, once', async () => {
    const bench = relayBench()
    bench.publish(2)
    const browser = bench.browser()
    const { numbers } = browser.read(channel, 'all')
    await bench.clock.runUntil(() => numbers.length === 2)
    expect(bench.relay.stats.catchUps).toBe(1)
    await bench.clock.advance(1_000)
    // As enriched change events do.
    bench.publish(1)
    for (const number of [101, 102]) bench.org.publish(channel, { Number__c: number }, { group: 'same' })
    bench.publish(1)
    await bench.clock.runUntil(() => numbers.includes(4))
    expect(numbers).toEqual([1, 2, 3, 101, 102, 4])
    await browser.client.stop()
    await bench.relay.close()
  })

  test("goes on when the relay's own client was stopped under it, as by an object whose loop begins anew", async () => {
    const bench = relayBench()
    const made: StreamingClient[] = []
    await bench.restart({
      connect() {
        const { now, delay, random } = bench.clock
        const client = createClient({
          auth: bench.org.session(),
          replayStore: null,
          platform: { fetch: bench.org.fetch, now, delay, random },
        })
        made.push(client)
        return client
      },
    })
    const browser = bench.browser()
    const { numbers } = browser.read()
    await bench.clock.runUntil(() => browser.client.state === 'live')
    await bench.clock.advance(1_000)
    bench.publish(2)
    await bench.clock.runUntil(() => numbers.length === 2)
    await made[0]?.stop()
    bench.publish(2)
    await bench.clock.runUntil(() => numbers.length === 4, 120_000)
    expect(numbers).toEqual([1, 2, 3, 4])
    expect(bench.requests.length).toBeLessThan(12)
    await browser.client.stop()
    await bench.relay.close()
  })

  test.each([
    ['login_refused', 'AuthenticationError', () => new Response('', { status: 401 })],
    ['http_status', 'TransportError', () => new Response('', { status: 404 })],
    ['bad_reply', 'ProtocolError', () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } })],
    ['subscribe_refused', 'SubscribeError', () => false],
  ])('fails with %s where no use is in trying again', async (code, name, authorize) => {
    const bench = relayBench({ authorize: () => authorize() })
    const browser = bench.browser()
    const { ended } = browser.read()
    await bench.clock.runUntil(() => browser.client.state === 'failed')
    await expect(ended).rejects.toMatchObject({ code, name })
    expect(bench.requests).toHaveLength(1)
    await browser.client.stop()
    await bench.relay.close()
  })

  test('a stream that is cut amid a message, or is no JSON, is begun again after the last event', async () => {
    const bench = relayBench()
    let damage: ((text: string) => string) | undefined
    const fetchThrough = async (input: string | URL, init?: RequestInit): Promise<Response> => {
      const response = await bench.get(new URL(input).search, init?.headers as Record<string, string>)
      const decoder = new TextDecoder()
      const encoder = new TextEncoder()
      const damaged = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          const text = decoder.decode(chunk)
          const how = text.includes('Number__c') ? damage : undefined
          damage = how ? undefined : damage
          controller.enqueue(encoder.encode(how ? how(text) : text))
          if (how) controller.terminate()
        },
      })
      return new Response(response.body!.pipeThrough(damaged), response)
    }
    const platform = { fetch: fetchThrough, now: bench.clock.now, delay: bench.clock.delay, random: bench.clock.random }
    const browser = bench.browser({ source: relaySource(url, { platform }) })
    const { numbers } = browser.read()
    await bench.clock.runUntil(() => browser.client.state === 'live')
    await bench.clock.advance(1_000)
    bench.publish(2)
    await bench.clock.runUntil(() => numbers.length === 2)
    for (const how of [(text: string) => text.slice(0, 60), (text: string) => text.replace('{', '{{')]) {
      damage = how
      bench.publish(1)
      await bench.clock.runUntil(() => damage === undefined)
      bench.publish(1)
      await bench.clock.runUntil(() => numbers.length === bench.published().length)
    }
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6])
    await browser.client.stop()
    await bench.relay.close()
  })

  test('a page that was away for longer than the org keeps events is told, and gets what there is', async () => {
    const bench = relayBench()
    let isAway = false
    const fetchThrough = (input: string | URL, init?: RequestInit): Promise<Response> =>
      isAway ? Promise.reject(new TypeError('offline')) : bench.get(new URL(input).search, init?.headers as Record<string, string>)
    const platform = { fetch: fetchThrough, now: bench.clock.now, delay: bench.clock.delay, random: bench.clock.random }
    const browser = bench.browser({ source: relaySource(url, { platform }) })
    const { numbers } = browser.read()
    await bench.clock.runUntil(() => browser.client.state === 'live')
    await bench.clock.advance(1_000)
    bench.publish(2)
    await bench.clock.runUntil(() => numbers.length === 2)
    isAway = true
    bench.cut()
    await bench.clock.advance(80 * 3_600_000)
    bench.publish(2)
    isAway = false
    await bench.clock.runUntil(() => numbers.length === 4)
    expect(numbers).toEqual([1, 2, 3, 4])
    expect(browser.statuses.filter(({ type }) => type === 'replayGap')).toMatchObject([{ channel, reason: 'position-refused', to: 'all' }])
    await browser.client.stop()
    await bench.relay.close()
  })

  test('reads several channels over one stream', async () => {
    const bench = relayBench()
    const browser = bench.browser()
    const one = browser.read(channel)
    const two = browser.read(other, 'all')
    await bench.clock.runUntil(() => browser.client.state === 'live')
    await bench.clock.advance(1_000)
    bench.publish(3, channel)
    bench.publish(2, other)
    await bench.clock.runUntil(() => one.numbers.length === 3 && two.numbers.length === 2)
    expect(bench.relay.stats.clients).toBe(1)
    await browser.client.stop()
    await bench.relay.close()
  })
})
