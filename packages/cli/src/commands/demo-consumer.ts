import { createClient, fileReplayStore } from '@sfstream/node'
import { type Context, command, type ParsedArguments } from '../command.ts'
import { credentials } from '../credentials.ts'
import type { Report } from '../demo/report.ts'
import { sampleChannels } from '../demo/sample-events.ts'
import { statusLine } from '../status-line.ts'
import { UsageError } from '../usage-error.ts'

const flags = { store: { type: 'string', description: 'The folder of the positions', required: true } } as const

export const demoConsumer = command({ name: 'demo-consumer', description: "The demo's consumer.", args: flags, run: runConsumer })

/** An ordinary program that uses sfstream: one loop a channel. Handling an event means telling the parent about it. */
async function runConsumer(args: ParsedArguments<typeof flags>, { env }: Context): Promise<void> {
  if (!process.send) throw new UsageError('demo-consumer is started by demo.')
  const client = createClient({ auth: credentials(env), replayStore: fileReplayStore({ path: args.store ?? '' }) })

  const leave = (): void => process.exit(1)
  process.once('disconnect', leave)
  // Ctrl-C goes to both processes; when to stop is the parent's to say.
  process.on('SIGINT', () => {})
  let stopping: Promise<void> | undefined
  process.on('message', () => {
    stopping ??= client.stop()
  })

  const statuses = client.status()
  const telling = (async () => {
    for await (const status of statuses) {
      const from = status.type === 'resubscribed' ? { from: String(status.from) } : {}
      const channel = 'channel' in status && status.channel !== undefined ? { channel: status.channel } : {}
      await tell({ type: 'status', name: status.type, text: statusLine(status).text, ...channel, ...from })
    }
  })()

  const subscriptions = sampleChannels.map((channel) => client.subscribe(channel))
  const loops = subscriptions.map(async (subscription) => {
    for await (const { channel, kind, replayId, payload } of subscription) {
      await tell({ type: 'event', event: { channel, kind, payload, replayId: String(replayId) } })
    }
  })
  const ready = Promise.all(subscriptions.map((subscription) => subscription.ready)).then(() => tell({ type: 'ready' }))
  try {
    await Promise.all([ready, ...loops])
    await stopping
  } finally {
    await statuses.return?.()
    await telling
    process.off('disconnect', leave)
    // An open channel would keep the process alive.
    process.disconnect()
  }
}

/** Resolves once the report has left this process: only then is an event handled, whatever happens next. */
function tell(report: Report): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(report, undefined, {}, (error) => (error ? reject(error) : resolve()))
  })
}
