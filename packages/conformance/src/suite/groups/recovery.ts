import { channel, count, listen, onBench, statuses, takeNumbers } from '../bench.ts'
import { equal, ok, until } from '../expectations.ts'
import type { Harness } from '../harness.ts'

type Planned = Parameters<Harness['org']['fault']>[0]

const lostReply: Planned = { on: 'connect', kind: 'network-error', lost: 'reply' }

/** What befalls the next connect. */
const faults: Record<string, Planned> = {
  'a connection that breaks before the headers': { on: 'connect', kind: 'network-error' },
  'a reply that is lost': lostReply,
  'a body that breaks off': { on: 'connect', kind: 'cut', afterBytes: 20 },
  'a connection that breaks after the body': { on: 'connect', kind: 'cut-after-body' },
  'a 503 with a page': { on: 'connect', kind: 'http', status: 503, body: '<html>Down for maintenance</html>' },
  'a 200 with a login page': { on: 'connect', kind: 'http', status: 200, body: '<html>Log in</html>' },
  'a busy server': { on: 'connect', kind: 'fail', error: '503::Server is too busy. Please try your request again later.' },
  'a session nobody knows': { on: 'connect', kind: 'fail', error: '403::Unknown client', reconnect: 'handshake' },
}

/** Losses are mended: nothing is lost, nothing comes twice. */
export function recoveryCases(harness: Harness): void {
  const { org, test } = harness

  for (const [name, fault] of Object.entries(faults)) {
    test(
      'recovery',
      name,
      onBench(harness, async ({ client, orders }) => {
        const iterator = await listen(await client(), { replay: 'all' })
        await orders(1, 2)
        equal(await takeNumbers(iterator, 2), [1, 2])
        await org.fault(fault)
        await orders(3, 2)
        await until(async () => (await org.look()).pendingFaults === 0, 'the fault')
        await orders(5, 2)
        equal(await takeNumbers(iterator, 4), [3, 4, 5, 6])
        equal((await org.look()).maxConcurrentConnects, 1)
      }),
      fault === lostReply ? ['requests-are-sent-once'] : [],
    )
  }
  test(
    'recovery',
    'a lost session: one handshake, and on from the last event',
    onBench(harness, async ({ client, orders }) => {
      const mine = await client()
      const said = statuses(mine)
      const iterator = await listen(mine)
      await orders(1, 3)
      equal(await takeNumbers(iterator, 3), [1, 2, 3])
      await org.loseSessions()
      await orders(4, 3)
      equal(await takeNumbers(iterator, 3), [4, 5, 6])
      equal((await org.look()).handshakes, 2)
      ok(
        said.some(({ type }) => type === 'rehandshake'),
        'a rehandshake is told',
      )
    }),
  )
  test(
    'recovery',
    'a lost session, again and again, while events are published',
    onBench(harness, async ({ client, orders }) => {
      const iterator = await listen(await client(), { replay: 'all' })
      const seen: unknown[] = []
      for (const round of count(0, 4)) {
        await orders(round * 10 + 1, 10)
        seen.push(...(await takeNumbers(iterator, round === 3 ? 40 - seen.length : 5)))
        await org.loseSessions()
      }
      equal(seen, count(1, 40))
    }),
  )
  test(
    'recovery',
    'a revoked token: one new token, and on from the last event',
    onBench(harness, async ({ client, orders }) => {
      let asked = 0
      const auth = async (): Promise<{ accessToken: string; instanceUrl: string }> => {
        asked++
        return org.session()
      }
      const mine = await client({ auth })
      const said = statuses(mine)
      const iterator = await listen(mine)
      await orders(1, 1)
      equal(await takeNumbers(iterator, 1), [1])
      await org.revokeTokens()
      await org.cutConnections()
      await until(() => said.some(({ type }) => type === 'reauthenticated'), 'a new token')
      await orders(2, 2)
      equal(await takeNumbers(iterator, 2), [2, 3])
      equal(asked, 2)
    }),
  )
  test(
    'recovery',
    'two channels come back after one lost session',
    onBench(harness, async ({ client, orders }) => {
      const mine = await client()
      const one = await listen(mine)
      const two = await listen(mine, {}, '/event/Low_Ink__e')
      await org.loseSessions()
      await until(async () => Object.keys((await org.look()).subscriptions).length === 2, `${channel} and the other again`)
      await orders(1, 1)
      await org.sample('/event/Low_Ink__e')
      equal(await takeNumbers(one, 1), [1])
      equal((await two.next()).done, false)
    }),
  )
}
