// All tabs of this page share one session with the org; each shows every event, and goes on where it was after a reload.
import { createClient, type OrgSession, sharedTabs } from '@sfstream/browser'

const channel = new URLSearchParams(location.search).get('channel') ?? '/event/Order_Event__e'
const element = (id: string): HTMLElement => document.getElementById(id) as HTMLElement

const auth = async (): Promise<OrgSession> => {
  const response = await fetch('/session')
  if (!response.ok) throw new Error(`/session answered ${response.status}`)
  return (await response.json()) as OrgSession
}
const connect = () => createClient({ auth, endpoint: new URL('/cometd/66.0', location.origin), replayStore: null })
const client = createClient({ source: sharedTabs({ connect }) })

void (async () => {
  for await (const status of client.status()) {
    if (status.type === 'state') element('state').textContent = status.error?.message ?? `Session: ${status.state}`
    if (status.type === 'replayGap') element('state').textContent = `Events may be missing: ${status.reason}`
  }
})()

for await (const event of client.subscribe(channel)) {
  const row = document.createElement('tr')
  for (const text of [event.replayId, event.createdDate, JSON.stringify(event.payload)]) {
    row.append(Object.assign(document.createElement('td'), { textContent: String(text ?? '') }))
  }
  element('events').prepend(row)
}
