import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { type ClientStatus, fileReplayStore } from '@sfstream/node'
import { clock, eventLine } from '../event-line.ts'
import { Stopped } from '../stopped.ts'
import type { Terminal } from '../terminal.ts'
import { conditions, TooLate } from './conditions.ts'
import { connectionLog } from './connection-log.ts'
import { type ConsumerProcess, startConsumer } from './consumer-process.ts'
import type { Report, ReportedEvent } from './report.ts'
import { sampleChannels, sampleEvent } from './sample-events.ts'
import { faults, flow, recovery } from './story.ts'
import { type HandledEvent, type PublishedEvent, type Tally, tally, tallyLine } from './tally.ts'

const publishEveryMs = 150
/** The demo takes some 20 seconds; a machine under load may take its time. */
const deadlineMs = 90_000

/** Wide enough for the samples, narrow enough for a slide. */
const demoColumns = 120
const widths = [Math.max(...sampleChannels.map((channel) => channel.length)), 'change-event UPDATE'.length, 9] as const

/**
 * Plays the whole story and resolves with its account. Rejects where something awaited did not happen, with Stopped on
 * Ctrl-C or a closed pipe.
 */
export async function runDemo(terminal: Terminal, env: NodeJS.ProcessEnv): Promise<Tally> {
  const { bold, dim, red, green, yellow } = terminal.colors
  const waiting = conditions(deadlineMs)
  const { until } = waiting
  const folder = await mkdtemp(join(tmpdir(), 'sfstream-demo-'))
  const server = await startMockOrgServer({ channels: [...sampleChannels] })
  const { org } = server

  let printing: Promise<void> = Promise.resolve()
  const say = (line: string): void => {
    printing = printing.then(() => terminal.print(line)).catch(() => {})
  }
  const happened = (text: string): void => say(`${dim(clock(new Date()))}  ${text}`)

  const handled: HandledEvent[] = []
  const counts = new Map<string, number>()
  const statuses = new Map<ClientStatus['type'], number>()
  const connection = connectionLog()
  let ready = 0
  let run = 0
  const onReport = (report: Report): void => {
    switch (report.type) {
      case 'ready':
        ready++
        happened(green(`${sampleChannels.length} channels subscribed`))
        break
      case 'event': {
        const { channel, replayId } = report.event
        const again = handled.some((event) => event.channel === channel && event.replayId === replayId)
        handled.push({ channel, replayId, run })
        counts.set(channel, (counts.get(channel) ?? 0) + 1)
        say(shortLine(report.event, terminal) + (again ? yellow('  again: the kill came before its position was saved') : ''))
        break
      }
      case 'status':
        statuses.set(report.name, (statuses.get(report.name) ?? 0) + 1)
        for (const line of connection.told(report)) happened(green(line))
        break
    }
    waiting.changed()
  }
  const start = (): ConsumerProcess => {
    const consumer = startConsumer(join(folder, 'replay'), consumerEnvironment(env, server), onReport)
    void consumer.ended.then((code) => {
      if (consumer === current) waiting.fail(new Error(`The consumer ended by itself (${code}).`))
    })
    return consumer
  }

  const published = (): PublishedEvent[] =>
    sampleChannels.flatMap((channel) => org.inspect.published(channel).map(({ replayId = '' }) => ({ channel, replayId })))
  let count = 0
  const publish = (): void => {
    const { channel, payload, extra } = sampleEvent(count++)
    org.publish(channel, payload, extra)
    waiting.changed()
  }
  let publishing: NodeJS.Timeout | undefined
  const interrupt = (): void => {
    terminal.hurry()
    waiting.fail(new Stopped())
  }
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  terminal.onBroken(interrupt)

  let current: ConsumerProcess | undefined
  const witness = { handled: counts, statuses }
  const saved: Map<string, string>[] = []
  try {
    say(`${bold('A simulated org')} at ${server.url}, ${bold('a consumer')} in a process of its own, and all that can go wrong.\n`)
    current = start()
    await until('the first subscription', () => ready === 1)
    publishing = setInterval(publish, publishEveryMs)
    await flow(3, 'the first events', witness, waiting)

    for (const fault of faults) {
      say('')
      happened(red(bold(`✗ ${fault.title}`)))
      await recovery(fault, org, witness, waiting)
    }

    const before = count
    await until('an event on its way', () => count > before)
    say('')
    happened(red(bold('✗ the consumer is killed (SIGKILL)')))
    const killed = current
    current = undefined
    killed.kill()
    await killed.ended
    saved.push(await positions(join(folder, 'replay')))
    run++
    const missed = count
    await until('events while nobody listens', () => count >= missed + 8)
    happened(yellow(`${count - missed} events published while nobody listens; started again`))
    current = start()
    await until('the second subscription', () => ready === 2)
    await flow(4, 'events after the restart', witness, waiting)

    clearInterval(publishing)
    await until('the last events', () => tally(published(), handled, saved).lost === 0).catch((error: unknown) => {
      // What never came is lost: the account says how much.
      if (!(error instanceof TooLate)) throw error
    })
    const last = current
    current = undefined
    last.stop()
    const code = await last.ended
    if (code !== 0) throw new Error(`The consumer ended with ${code}.`)

    const result = tally(published(), handled, saved)
    say('')
    say(tallyLine(result))
    return result
  } finally {
    clearInterval(publishing)
    waiting.close()
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
    const left = current
    current = undefined
    left?.kill()
    await left?.ended
    await server.close()
    await rm(folder, { recursive: true, force: true })
    await printing
  }
}

/** Without what every record has: its id, who made it and when. */
function shortLine({ channel, kind, replayId, payload }: ReportedEvent, { colors, columns }: Terminal): string {
  const audit = ['Id', 'CreatedDate', 'CreatedById', 'LastModifiedDate', 'LastModifiedById', 'OwnerId']
  const fields =
    typeof payload === 'object' && payload !== null ? Object.entries(payload).filter(([name]) => !audit.includes(name)) : undefined
  const event = { channel, kind, replayId: replayId as `${bigint}`, payload: fields ? Object.fromEntries(fields) : payload }
  return eventLine(event, new Date(), { colors, widths, columns: Math.min(columns, demoColumns) })
}

/** What is on disk: per channel, the position a new process begins after. */
async function positions(path: string): Promise<Map<string, string>> {
  const store = fileReplayStore({ path })
  const found = new Map<string, string>()
  for (const channel of sampleChannels) {
    const [org] = await store.orgs({ org: '', channel, consumer: 'default' })
    const position = org === undefined ? undefined : await store.load({ org, channel, consumer: 'default' })
    if (position) found.set(channel, String(position.replayId))
  }
  return found
}

/** The consumer logs in as any program would; the caller's own credentials and proxies are none of its business. */
function consumerEnvironment(env: NodeJS.ProcessEnv, { url, org }: MockOrgServer): NodeJS.ProcessEnv {
  const rest = Object.entries(env).filter(([name]) => !name.startsWith('SF_'))
  const { clientId, clientSecret } = org.credentials
  return { ...Object.fromEntries(rest), SF_LOGIN_URL: url, SF_CLIENT_ID: clientId, SF_CLIENT_SECRET: clientSecret }
}
