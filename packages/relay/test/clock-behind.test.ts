import { createClient } from '@sfstream/core'
import { expect, test } from 'vitest'
import { channel, relayBench } from './relay-bench.ts'

test.each([-86_400_000, -1_500, 0, 1_500])(
  'what was published right before a relay began is not lost to who comes back (its clock is off by %i ms)',
  async (offMs) => {
    const bench = relayBench()
    const { now, delay, random } = bench.clock
    const platform = { fetch: bench.org.fetch, now: () => now() + offMs, delay, random }
    await bench.restart({ connect: () => createClient({ auth: bench.org.session(), replayStore: null, platform }), platform })
    const { replayId } = bench.org.publish(channel, { Number__c: 1 })
    const cursor = `1~${bench.org.orgId.slice(0, 15)}~${encodeURIComponent(channel)}=${replayId}`
    // The org shows whole seconds: by its replies it is still as late as before this was published.
    await bench.clock.advance(60_700 - (now() % 1_000))
    bench.org.publish(channel, { Number__c: 2 })
    const response = await bench.get(`?channel=${channel}`, { accept: 'text/event-stream', 'last-event-id': cursor })
    let text = ''
    const reader = response.body!.getReader()
    void (async () => {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        text += new TextDecoder().decode(value)
      }
    })()
    await bench.clock.advance(60_000)
    expect([...text.matchAll(/"Number__c":(\d+)/g)].map(([, number]) => Number(number))).toEqual([2])
    await bench.relay.close()
  },
)
