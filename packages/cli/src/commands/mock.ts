import { constants } from 'node:os'
import { oneOf, wholeNumber } from '../arguments.ts'
import { type Context, command, type ParsedArguments } from '../command.ts'
import { sampleChannels, sampleEvent } from '../demo/sample-events.ts'
import { exitStatusHelp } from '../exit-status.ts'
import { UsageError } from '../usage-error.ts'

const flags = {
  port: { type: 'string', description: 'Where to listen, on 127.0.0.1; 0: any free port', default: '0', valueHint: 'PORT' },
  publish: { type: 'string', description: `Publish this many sample events a second on ${sampleChannels.join(', ')}`, valueHint: 'RATE' },
  seed: { type: 'string', description: 'Makes ids, tokens and choices the same in every run', valueHint: 'N' },
  scenario: { type: 'string', description: 'Something to go wrong, such as S16; see the README of @sfstream/mock-org', valueHint: 'NAME' },
  json: { type: 'boolean', description: 'Print {"url", "loginUrl", "clientId", "clientSecret"} on one line once it listens' },
  verbose: { type: 'boolean', description: 'Show where an error came from' },
} as const

export const mock = command(
  { name: 'mock', description: 'Run a simulated org until Ctrl-C.', args: flags, run: runMock },
  { notes: [exitStatusHelp] },
)

async function runMock(args: ParsedArguments<typeof flags>, { terminal }: Context): Promise<void> {
  const port = wholeNumber('port', args.port, 0, 65_535) ?? 0
  const seed = wholeNumber('seed', args.seed, 0, 0xffff_ffff)
  const rate = publishRate(args.publish)
  const [{ startMockOrgServer }, { scenarioIds }] = await Promise.all([import('@sfstream/mock-org/node'), import('@sfstream/mock-org')])
  oneOf('scenario', args.scenario, scenarioIds)
  const stopped = stopSignal(terminal.onBroken)
  const server = await startMockOrgServer({
    port,
    channels: [...sampleChannels],
    ...(seed !== undefined && { seed }),
    ...(args.scenario !== undefined && { scenario: args.scenario }),
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error
    // No usage error: the port is one, and may be free in a moment. Node's own text names no flag.
    throw new Error(`--port ${port} is taken (EADDRINUSE). Give another, or leave it out: any free one will do.`, { cause: error })
  })
  const { org } = server
  const { clientId, clientSecret } = org.credentials
  const { bold, dim } = terminal.colors
  let published = 0
  const publishing =
    rate === undefined
      ? undefined
      : setInterval(() => {
          const { channel, payload, extra } = sampleEvent(published++)
          org.publish(channel, payload, extra)
        }, 1000 / rate)
  try {
    await terminal.print(
      args.json
        ? JSON.stringify({ url: server.url, loginUrl: server.loginUrl, clientId, clientSecret })
        : `${bold('A simulated org')} listens at ${server.url}. Ctrl-C ends it.\n\n` +
            `${dim('In another terminal:')}\n` +
            `  export SF_LOGIN_URL=${server.url} SF_CLIENT_ID=${clientId} SF_CLIENT_SECRET=${clientSecret}\n` +
            `  sfstream tail ${sampleChannels.join(' ')}`,
    )
    await stopped
  } finally {
    clearInterval(publishing)
    await server.close()
  }
}

function publishRate(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const rate = /^\d*\.?\d+$/.test(value) ? Number(value) : Number.NaN
  if (rate > 0 && rate <= 1000) return rate
  throw new UsageError(`--publish '${value}' is not a number of events a second, up to 1000.`)
}

/** Resolves at the first Ctrl-C; the second ends the process at once. */
function stopSignal(onBroken: (listener: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    onBroken(resolve)
    let stopping = false
    const listener = (signal: NodeJS.Signals): void => {
      if (stopping) process.exit(128 + constants.signals[signal])
      stopping = true
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, listener)
  })
}
