// All tabs of this page share one session with the org; each shows every event, and goes on where it was after a reload.
import { AuthenticationError, createClient, type OrgSession, SfStreamError, sharedTabs } from '@sfstream/browser'

const channel = new URLSearchParams(location.search).get('channel') ?? '/event/Order_Event__e'
const element = (id: string): HTMLElement => document.getElementById(id) as HTMLElement

const auth = async (): Promise<OrgSession> => {
  const response = await fetch('/session').catch(() => undefined)
  if (response?.ok) return (await response.json()) as OrgSession
  const passes = !response || response.status === 429 || response.status >= 500
  throw new AuthenticationError({
    code: passes ? 'login_unavailable' : 'login_refused',
    message: response ? `/session answered ${response.status}.` : '/session is out of reach.',
    remediation: passes ? 'Nothing: it is asked again.' : 'Sign in, and load the page again.',
    // Asked again after a while; anything else ends the loop below.
    retryable: passes,
  })
}
const connect = () => createClient({ auth, endpoint: new URL('/cometd/66.0', location.origin), replayStore: null })
const client = createClient({ source: sharedTabs({ connect }) })

let hasEnded = false
const say = (text: string): void => {
  // The last word is the loop's.
  if (!hasEnded) element('state').textContent = text
}
const words = (error: unknown): string => (error instanceof SfStreamError ? `${error.message} ${error.remediation}` : String(error))

void (async () => {
  for await (const status of client.status()) {
    if (status.type === 'state') say(`Session: ${status.state}${status.error ? `. ${words(status.error)}` : ''}`)
    if (status.type === 'retry') say(`Trying again: ${words(status.error)}`)
    if (status.type === 'replayGap') say(`Events may be missing: ${status.reason}`)
  }
})()

try {
  for await (const event of client.subscribe(channel)) {
    const row = document.createElement('tr')
    for (const text of [event.replayId, event.createdDate, JSON.stringify(event.payload)]) {
      row.append(Object.assign(document.createElement('td'), { textContent: String(text ?? '') }))
    }
    element('events').prepend(row)
  }
} catch (error) {
  say(`Ended, session: ${client.state}. ${words(error)}`)
  hasEnded = true
}
