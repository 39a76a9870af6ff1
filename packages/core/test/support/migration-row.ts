import { createMockOrg, type MockOrg, type MockOrgOptions, type VirtualClock, virtualClock } from '@sfstream/mock-org'
import { it } from 'vitest'
import { type BayeuxOptions, type CommonOptions, createClient, type Platform, type StreamingClient } from '../../src/index.ts'
import { read } from './rig.ts'

export interface Scene {
  org: MockOrg
  clock: VirtualClock
  platform: Platform
  /** A client of this org, stopped at the end. Logs in with a session of its own unless told otherwise. */
  make(options?: Partial<BayeuxOptions> & CommonOptions): StreamingClient
  connected(client: StreamingClient): Promise<void>
}

/** The rows tested. */
export const seen = new Set<string>()

/** A row of the guide: its old names, and what they became at work. */
export function row(name: string, body: (scene: Scene) => Promise<void>, options: MockOrgOptions = {}): void {
  seen.add(name)
  it(name, async () => {
    const clock = virtualClock()
    const org = createMockOrg({ clock, ...options })
    const platform: Platform = { fetch: (input, init) => org.fetch(input, init), now: clock.now, delay: clock.delay, random: clock.random }
    const clients: StreamingClient[] = []
    try {
      await body({
        org,
        clock,
        platform,
        make(more = {}) {
          const client = createClient({ auth: org.session(), platform, ...more })
          clients.push(client)
          return client
        },
        async connected(client) {
          client.start().catch(() => {})
          await clock.runUntil(() => client.state === 'live' && org.inspect.sessions.some(({ connected }) => connected))
        },
      })
    } finally {
      const stopped = Promise.allSettled(clients.map((client) => client.stop()))
      await clock.advance(3_000)
      await stopped
    }
  })
}

export const topic = '/topic/InvoiceStatementUpdates'
export const lowInk = '/event/Low_Ink__e'
export const invoice = (name: string) => ({ Id: 'a00D0000009YbwQIAS', Name: name, Status__c: 'Open' })

export const grants = (org: MockOrg): unknown[] =>
  org.inspect.requests.flatMap(({ grantType, origin }) => (grantType ? [[grantType, origin]] : []))
export const credentials = ({ credentials: { clientId, clientSecret, username, password: word, securityToken } }: MockOrg) => ({
  clientId,
  clientSecret,
  username,
  password: word,
  securityToken,
})

/** One run of a program: reads what is published meanwhile, then stops. */
export async function oneRun(
  { org, clock, make }: Scene,
  options: CommonOptions,
  publish: string[],
  until = publish.length,
): Promise<unknown[]> {
  const client = make(options)
  const reading = read<{ Name: string }>(client.subscribe(topic))
  await clock.runUntil(() => org.inspect.subscriptions[topic] === 1)
  for (const name of publish) org.publish(topic, invoice(name))
  await clock.runUntil(() => reading.events.length === until)
  await clock.settle()
  await client.stop()
  return reading.events.map(({ payload }) => payload.Name)
}
