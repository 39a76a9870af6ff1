import { channel, onBench } from '../bench.ts'
import { equal, failure, ok } from '../expectations.ts'
import type { Harness } from '../harness.ts'

/** Typed errors that say what to do, and keep secrets. */
export function errorCases(harness: Harness): void {
  const { adapter, org, test } = harness

  test(
    'errors',
    'what is no channel is refused before anything is sent',
    onBench(harness, async ({ client }) => {
      const mine = await client()
      const error = await failure(() => mine.subscribe('Order_Event__e'))
      ok(error instanceof adapter.SubscribeError, 'a SubscribeError')
      equal(error.code, 'bad_channel')
      equal((await org.look()).handshakes, 0)
    }),
  )
  test(
    'errors',
    'options that cannot work are refused by name',
    onBench(harness, async () => {
      const auth = await org.session()
      const unknown = await failure(() => adapter.createClient({ auth, replayStroe: null } as never))
      equal(unknown.code, 'bad_option')
      ok(unknown.message.includes('replayStroe'), unknown.message)
      const version = await failure(() => adapter.createClient({ auth, apiVersion: 'sixty' }))
      equal(version.code, 'bad_api_version')
    }),
  )
  test(
    'errors',
    'a refused channel rejects ready and the loop, with the words of the org and what to do',
    onBench(harness, async ({ client }) => {
      await org.deny(channel, '403:denied_by_security_policy:create_denied')
      const subscription = (await client()).subscribe(channel)
      const error = await failure(subscription[Symbol.asyncIterator]().next())
      ok(error instanceof adapter.SubscribeError && error instanceof adapter.SfStreamError, `a SubscribeError, not ${error}`)
      equal([error.code, error.channel], ['subscribe_refused', channel])
      ok(String(error.remediation).length > 10, 'a remediation')
      ok(JSON.stringify(error.server).includes('denied_by_security_policy'), 'the words of the org')
      equal((await failure(subscription.ready)).code, 'subscribe_refused')
    }),
  )
  test(
    'errors',
    'a token stays out of URLs and errors',
    onBench(harness, async ({ client }) => {
      const session = await org.session()
      await org.revokeTokens()
      const mine = await client({ auth: session })
      const error = await failure(mine.start())
      ok(error instanceof adapter.AuthenticationError, `an AuthenticationError, not ${error}`)
      const told = `${error.stack} ${JSON.stringify(error)} ${(await org.look()).urls.join(' ')}`
      ok(!told.includes(session.accessToken), 'the token is in none of it')
    }),
  )
}
