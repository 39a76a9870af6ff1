// A program that does its work over node:http and then has nothing left to do: whether it ends is what tests look at.
import { createClient, httpTransport } from '../../src/index.ts'

const [mode, url = '', accessToken = ''] = process.argv.slice(2)

if (mode === 'post') {
  // Not closed: an idle connection is no reason to stay.
  const deadline = { headersMs: 30_000, idleMs: 30_000, totalMs: 600_000 }
  const signal = new AbortController().signal
  const reply = await httpTransport()
    .exchange({ url: new URL(url), headers: {}, body: '[]', deadline, signal })
    .catch(({ message }: Error) => ({ status: 0, text: message }))
  console.log(`${reply.status} ${reply.text}`)
} else {
  const before = process.getActiveResourcesInfo()
  const client = createClient({ auth: { accessToken, instanceUrl: url }, replayStore: null, proxy: false })
  const subscription = client.subscribe('/event/Order__e')
  await subscription.ready
  if (mode === 'break') for await (const _ of subscription) break
  await client.stop()
  // A socket that has been destroyed is gone with the turn.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  const left = process.getActiveResourcesInfo()
  for (const each of before) if (left.includes(each)) left.splice(left.indexOf(each), 1)
  console.log(`left: ${left.filter((each) => each !== 'Immediate').join(' ')}`)
}
