import { relay as relaySource } from '@sfstream/relay/client'
import { expect, test } from 'vitest'
import { relayBench, url } from './relay-bench.ts'

test.each([
  ['fast', 2 * 3_600_000],
  ['slow', -40 * 3_600_000],
])(
  'a page whose clock is %s loses nothing when the relay is begun again before its first event, and lags by no more than it does',
  async (_, offMs) => {
    const bench = relayBench()
    const platform = {
      fetch: (input: string | URL, init?: RequestInit) => bench.get(new URL(input).search, init?.headers as Record<string, string>),
      now: () => bench.clock.now() + offMs,
      delay: bench.clock.delay,
      random: bench.clock.random,
    }
    const browser = bench.browser({ source: relaySource(url, { platform }), platform })
    const { numbers } = browser.read()
    await bench.clock.runUntil(() => browser.client.state === 'live')
    // Past what two clocks may differ by.
    await bench.clock.advance(600_000)
    bench.cut()
    bench.publish(2)
    await bench.restart()
    bench.publish(2)
    await bench.clock.runUntil(() => numbers.length === 4, 600_000)
    expect(numbers).toEqual([1, 2, 3, 4])
    expect(browser.statuses.some(({ type }) => type === 'lagging')).toBe(false)
    await browser.client.stop()
    await bench.relay.close()
  },
)
