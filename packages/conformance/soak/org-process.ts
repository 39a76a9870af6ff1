// The org of a soak: a real HTTP server behind a relay, its publisher and its faults, in a process of its own.
import type { SessionView } from '@sfstream/mock-org'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { injectFault } from './inject-fault.ts'
import type { OrgCommand, OrgView } from './messages.ts'
import { numberedPayload, soakChannels } from './numbered-event.ts'
import { type Relay, startRelay } from './relay.ts'
import { serveCommands } from './served.ts'

let server: MockOrgServer
let relay: Relay
let stopPublishing: () => void = () => {}
const published: Record<string, number> = Object.fromEntries(soakChannels.map((channel) => [channel, 0]))
const lastReplayIds: Record<string, string> = {}

async function open(): Promise<void> {
  server = await startMockOrgServer({
    // Short holds, so that a short run has many; enough memory for what a restart or a pause has to replay.
    switches: { holdMs: 15_000 },
    memory: { events: 50_000, requests: 100, deliveries: 1 },
    limits: { dailyPlatformEvents: 1e9, dailyPushTopicEvents: 1e9, dailyGenericEvents: 1e9 },
  })
  relay = await startRelay(server.url)
}

function publishOn(channel: string): void {
  const number = (published[channel] ?? 0) + 1
  published[channel] = number
  lastReplayIds[channel] = String(server.org.publish(channel, numberedPayload(channel, number)).replayId)
}

async function backlog(each: number): Promise<void> {
  for (let count = 1; count <= each; count += 1) {
    for (const channel of soakChannels) publishOn(channel)
    // A reply's worth at a time.
    if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** One event at a time, on one channel after the other. */
function publish(perSecond: number): void {
  let turn = 0
  const timer = setInterval(() => {
    publishOn(soakChannels[turn++ % soakChannels.length]!)
  }, 1_000 / perSecond)
  stopPublishing = () => clearInterval(timer)
}

async function handle(command: OrgCommand): Promise<OrgView> {
  switch (command.command) {
    case 'open':
      await open()
      break
    case 'backlog':
      await backlog(command.each)
      break
    case 'publish':
      publish(command.perSecond)
      break
    case 'fault':
      await injectFault(command.kind, server.org, relay, command.downMs)
      break
    case 'calm':
      stopPublishing()
      server.org.faults.clear()
      await relay.up()
      break
    case 'look':
      break
    case 'close': {
      const view = look()
      await relay.down()
      await server.close()
      return view
    }
  }
  return look()
}

function look(): OrgView {
  const { inspect, credentials } = server.org
  const newest = inspect.sessions.reduce<SessionView | undefined>(
    (best, one) => (best && best.createdAt > one.createdAt ? best : one),
    undefined,
  )
  return {
    url: relay.url,
    clientId: credentials.clientId,
    clientSecret: credentials.clientSecret,
    published,
    lastReplayIds,
    handshakes: inspect.handshakes,
    logins: inspect.logins,
    mostConnects: inspect.maxConcurrentConnects,
    slots: newest?.alive ? 1 : 0,
    sockets: relay.connections,
  }
}

serveCommands<OrgCommand, OrgView>(handle, () => process.exit(0))
