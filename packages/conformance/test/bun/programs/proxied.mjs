// Asks through proxies: `client` logs in and takes two events, `fetch` asks one URL after the other and says how that went.
import { clientCredentials, createClient, proxyFetch } from '@sfstream/node'

const [what, settings] = process.argv.slice(2)
const { login, channel, proxy, urls = [] } = JSON.parse(settings)
if (what === 'client') {
  const client = createClient({ auth: clientCredentials(login), proxy, replayStore: null })
  void (async () => {
    for await (const status of client.status()) console.log('status', JSON.stringify(status), status.error)
  })()
  let count = 0
  for await (const { payload } of client.subscribe(channel, { replay: 'all' })) {
    console.log(`event ${payload.Number__c}`)
    if (++count === 2) break
  }
  await client.stop()
} else {
  const through = proxyFetch({ proxy }) ?? fetch
  for (const url of urls)
    await through(url, { method: 'POST', body: 'text' }).then(
      async (response) => console.log(`${url} ${response.status} ${await response.text()}`),
      (error) => console.log(`${url} failed`, error),
    )
}
