import { channel, listen, onBench, statuses } from '../bench.ts'
import { equal, ok, promptly, until } from '../expectations.ts'
import type { Harness } from '../harness.ts'

/** status() and messages(). */
export function tapCases(harness: Harness): void {
  const { test } = harness

  test(
    'taps',
    'status() tells the way to live and back',
    onBench(harness, async ({ client }) => {
      const mine = await client()
      const said = statuses(mine)
      await listen(mine)
      await until(() => mine.state === 'live', 'live')
      await mine.stop()
      const states = said.flatMap((status) => (status.type === 'state' ? [status.state] : []))
      for (const state of ['handshaking', 'live', 'stopping', 'stopped'] as const) ok(states.includes(state), `${state} in ${states}`)
      equal(mine.state, 'stopped')
    }),
  )
  test(
    'taps',
    'messages() brings meta messages and events',
    onBench(harness, async ({ client, orders }) => {
      const mine = await client()
      const channels: unknown[] = []
      const tap = (async () => {
        for await (const message of mine.messages()) channels.push(message.channel)
      })()
      const iterator = await listen(mine)
      await orders(1, 1)
      await iterator.next()
      await mine.stop()
      await promptly(tap, 'the tap')
      for (const name of ['/meta/handshake', '/meta/subscribe', '/meta/connect', channel])
        ok(channels.includes(name), `${name} among ${channels}`)
    }),
  )
}
