import {
  createClient,
  disconnectOnSignals,
  fileReplayStore,
  type NodeClientOptions,
  type ReplayId,
  type SubscribeOptions,
} from '@sfstream/node'
import { oneOf, wholeNumber } from '../arguments.ts'
import { type Context, command, type ParsedArguments } from '../command.ts'
import { credentials, credentialsHelp } from '../credentials.ts'
import { eventJson, eventLine, steerless } from '../event-line.ts'
import { exitStatusHelp } from '../exit-status.ts'
import { orgFlags } from '../org-flags.ts'
import { statusLine } from '../status-line.ts'
import { UsageError } from '../usage-error.ts'

const flags = {
  channel: {
    type: 'positional',
    description: 'Channels, such as /event/Order__e, /data/ChangeEvents, /topic/Name, /u/Name',
    required: true,
  },
  replay: {
    type: 'string',
    description:
      'Where to begin: stored, new (-1), all (-2), or a replay id. Only stored keeps positions, unless --store or --consumer is given',
    default: 'stored',
    valueHint: 'stored|new|all|ID',
  },
  until: {
    type: 'string',
    description:
      'caught-up: end when nothing is left to replay, or with 4 at a limit of the org, or with 1 when nothing gets through for two minutes',
    valueHint: 'caught-up',
  },
  limit: { type: 'string', description: 'End after this many events', valueHint: 'N' },
  json: { type: 'boolean', description: 'One event a line, as JSON' },
  commit: {
    type: 'string',
    description: 'auto: positions follow the lines printed. manual: each is on disk before the next line',
    default: 'auto',
    valueHint: 'auto|manual',
  },
  store: { type: 'string', description: 'The folder of the positions (Default: .sfstream/replay)', valueHint: 'PATH' },
  consumer: {
    type: 'string',
    description: 'Names the positions, so that several can share a folder',
    valueHint: 'NAME',
  },
  ...orgFlags,
  verbose: { type: 'boolean', description: 'Say on stderr all that happens to the connection' },
} as const

/** How long a run that should end tries to get through. */
const patience = { maxElapsedMs: 120_000 }

export const tail = command(
  { name: 'tail', description: 'Print events as they come, from where the last run ended.', args: flags, run: runTail },
  { variadic: true, notes: [credentialsHelp, exitStatusHelp] },
)

async function runTail(args: ParsedArguments<typeof flags>, { env, terminal }: Context): Promise<void> {
  const until = oneOf('until', args.until, ['caught-up'])
  const commit = oneOf('commit', args.commit, ['auto', 'manual']) ?? 'auto'
  const limit = wholeNumber('limit', args.limit, 1) ?? Number.POSITIVE_INFINITY
  const subscribe: SubscribeOptions = { replay: replay(args.replay), ...(until && { until }) }
  // A look at old events must not move the position that the next plain run begins at.
  const keep = args.replay === 'stored' || args.store !== undefined || args.consumer !== undefined
  const options: NodeClientOptions = {
    auth: credentials(env, { instanceUrl: args['instance-url'], loginUrl: args['login-url'], sandbox: args.sandbox }),
    commit,
    ...(args.consumer && { consumer: args.consumer }),
    replayStore: keep ? fileReplayStore(args.store === undefined ? {} : { path: args.store }) : null,
    ...(args['api-version'] && { apiVersion: args['api-version'] }),
    // A run that should end must not wait for tomorrow's allocation, nor for a host that is never there.
    ...(until && { retry: { limits: 'fail' as const, auth: patience, handshake: patience, connect: patience, subscribe: patience } }),
  }
  const client = createClient(options)
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopping ??= client.stop()
    // Awaited, and its failure reported, at the end.
    stopping.catch(() => {})
    return stopping
  }

  const statuses = client.status()
  const reporting = (async () => {
    for await (const status of statuses) {
      const { text, trouble } = statusLine(status)
      if (trouble || args.verbose) terminal.note(terminal.noteColors.dim(`· ${steerless(text)}`))
    }
  })()
  const unlisten = disconnectOnSignals({
    stop() {
      // A reader that stands still would hold up the end as it holds up the lines.
      terminal.hurry()
      return stop().catch(() => {})
    },
  })

  let taken = 0
  const follow = async (channel: string): Promise<void> => {
    for await (const event of client.subscribe(channel, subscribe)) {
      if (taken >= limit) return
      taken++
      await terminal.print(args.json ? eventJson(event) : eventLine(event, new Date(), terminal))
      if (commit === 'manual' || taken >= limit) await event.commit()
      if (taken >= limit) {
        void stop()
        return
      }
    }
  }
  try {
    await everything([...new Set(args._)].map(follow), stop)
  } finally {
    unlisten()
    await statuses.return?.()
    await reporting
  }
}

/** The first failure ends the other loops, and is the one to report. */
async function everything(loops: readonly Promise<void>[], stop: () => Promise<void>): Promise<void> {
  try {
    await Promise.all(loops)
  } catch (error) {
    await stop().catch(() => {})
    await Promise.allSettled(loops)
    throw error
  }
  await stop()
}

function replay(value: string): 'stored' | 'new' | 'all' | ReplayId {
  if (value === 'stored' || value === 'new' || value === 'all') return value
  if (/^\d{1,15}$/.test(value)) return Number(value)
  if (/^\d{16,30}$/.test(value)) return value as `${bigint}`
  throw new UsageError(
    `--replay '${value}' is not stored, new, all, or a replay id.`,
    value === '-1' || value === '-2' ? `Salesforce's ${value} is --replay ${value === '-1' ? 'new' : 'all'}.` : undefined,
  )
}
