// The client of a soak, with its file store, in a process of its own.
import { clientCredentials, createClient, fileReplayStore, type OrgSession, type StreamingClient } from '@sfstream/node'
import { garbageCollector } from './collect-garbage.ts'
import type { ClientCommand, ClientView } from './messages.ts'
import { numberOf, soakChannels } from './numbered-event.ts'
import { sequenceCheck } from './sequence-check.ts'
import { serveCommands } from './served.ts'

const collect = garbageCollector()
const checks = Object.fromEntries(soakChannels.map((channel) => [channel, sequenceCheck()]))
const statuses: Record<string, number> = {}
const failures: string[] = []
const positions: Record<string, string> = {}
let handlesBefore = 0
let client: StreamingClient | undefined
let loops: Promise<void>[] = []
let storePath = ''
let org = ''

async function start({ url, clientId, clientSecret, storePath: path }: Extract<ClientCommand, { command: 'start' }>): Promise<void> {
  // Now that the channel to the parent counts.
  handlesBefore = process.getActiveResourcesInfo().length
  storePath = path
  const login = clientCredentials({ loginUrl: url, clientId, clientSecret })
  const running = createClient({
    auth: {
      // The org's own address is behind the relay.
      async getSession(context): Promise<OrgSession> {
        const session = await login.getSession(context)
        org = session.accessToken.slice(0, 15)
        return { ...session, instanceUrl: url }
      },
    },
    replayStore: fileReplayStore({ path }),
    proxy: false,
  })
  client = running
  const told = async (): Promise<void> => {
    for await (const { type } of running.status()) statuses[type] = (statuses[type] ?? 0) + 1
  }
  const subscriptions = soakChannels.map((channel) => running.subscribe(channel))
  loops = [
    told(),
    ...subscriptions.map(async (subscription) => {
      try {
        for await (const event of subscription) checks[subscription.channel]?.take(numberOf(event))
      } catch (error) {
        failures.push(`${subscription.channel}: ${error}`)
      }
    }),
  ]
  await Promise.all(subscriptions.map(({ ready }) => ready))
}

async function stop(): Promise<void> {
  await client?.stop()
  await Promise.all(loops)
  const store = fileReplayStore({ path: storePath })
  for (const channel of soakChannels) {
    const position = await store.load({ org, channel, consumer: 'default' })
    if (position) positions[channel] = String(position.replayId)
  }
}

async function handle(command: ClientCommand): Promise<ClientView> {
  switch (command.command) {
    case 'start':
      await start(command)
      break
    case 'look':
      break
    case 'stop':
      await stop()
      break
  }
  return look()
}

function look(): ClientView {
  collect?.()
  const { heapUsed, rss } = process.memoryUsage()
  return {
    channels: Object.fromEntries(
      Object.entries(checks).map(([channel, { handled, repeated, disordered, missing }]) => [
        channel,
        { handled, repeated, disordered, missing },
      ]),
    ),
    statuses,
    failures,
    heapBytes: heapUsed,
    rssBytes: rss,
    handles: process.getActiveResourcesInfo().length - handlesBefore,
    positions,
  }
}

serveCommands<ClientCommand, ClientView>(handle, () => void client?.stop())
