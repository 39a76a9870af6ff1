import { inspect, stripVTControlCharacters } from 'node:util'
import { SfStreamError } from '@sfstream/node'
import { type CommandDef, renderUsage, runCommand } from 'citty'
import manifest from '../package.json' with { type: 'json' }
import { checkArguments } from './arguments.ts'
import type { Command, Context } from './command.ts'
import { steerless } from './event-line.ts'
import { exitStatus, exitStatusHelp, statusOf } from './exit-status.ts'
import { Stopped } from './stopped.ts'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

/** Loaded when called: `--help` need not read the client. */
const commands: Record<string, () => Promise<Command>> = {
  tail: async () => (await import('./commands/tail.ts')).tail,
  publish: async () => (await import('./commands/publish.ts')).publish,
  mock: async () => (await import('./commands/mock.ts')).mock,
  demo: async () => (await import('./commands/demo.ts')).demo,
}

/** Started by `demo` as a process of its own. */
const hidden: typeof commands = {
  'demo-consumer': async () => (await import('./commands/demo-consumer.ts')).demoConsumer,
}

/** Runs one command line; resolves with the exit status. */
export async function main(args: readonly string[], context: Context): Promise<number> {
  const { terminal } = context
  try {
    const result = await dispatch(args, context)
    return typeof result === 'number' ? result : exitStatus.ok
  } catch (error) {
    if (error instanceof Stopped) return exitStatus.ok
    report(error, terminal, args.includes('--verbose'), args[0])
    return statusOf(error)
  }
}

async function dispatch(args: readonly string[], context: Context): Promise<unknown> {
  const [name, ...rest] = args
  const { terminal } = context
  switch (name) {
    case undefined:
      terminal.note(await overview(terminal))
      throw new UsageError('No command was given.', 'Try sfstream demo, which needs no org.')
    case '--help':
    case '-h':
    case 'help':
      return terminal.print(await overview(terminal))
    case '--version':
    case '-v':
      return terminal.print(manifest.version)
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : Object.hasOwn(hidden, name) ? hidden[name] : undefined
  if (!load) throw new UsageError(`'${name}' is not a command.`, `Use one of ${Object.keys(commands).join(', ')}.`)
  const { definition, variadic, notes } = await load()
  const flags = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest
  if (flags.includes('--help') || flags.includes('-h')) {
    const text = await usage(definition, terminal, notes)
    return terminal.print(variadic ? text.replace('<CHANNEL>', '<CHANNEL...>') : text)
  }
  checkArguments(name, rest, { ...(definition.args as object) }, variadic === undefined ? {} : { variadic })
  const { result } = await runCommand(definition, { rawArgs: rest, data: context })
  return result
}

const program: CommandDef = { meta: { name: manifest.name, version: manifest.version, description: manifest.description } }

async function overview(terminal: Terminal): Promise<string> {
  const subCommands: Record<string, CommandDef> = {}
  for (const [name, load] of Object.entries(commands)) subCommands[name] = (await load()).definition as CommandDef
  return usage({ ...program, subCommands }, terminal, [exitStatusHelp])
}

async function usage(definition: CommandDef<never> | CommandDef, terminal: Terminal, notes: readonly string[] = []): Promise<string> {
  const parent = definition === program || 'subCommands' in definition ? undefined : program
  const text = [await renderUsage(definition as CommandDef, parent), ...notes].join('\n\n')
  // citty looks at its environment, not at where the text goes.
  return (terminal.colors.isColorSupported ? text : stripVTControlCharacters(text)).replace(/ +$/gm, '').trimEnd()
}

/** What the client calls otherwise than the command line does. */
function ownWord(said: string, name: string): string {
  return name === 'apiVersion' ? '--api-version' : name === 'endpoint' ? 'the instance URL' : said
}

function report(error: unknown, terminal: Terminal, verbose: boolean, name?: string): void {
  const { red, dim } = terminal.noteColors
  if (error instanceof UsageError) {
    terminal.note(`${red('Usage error:')} ${error.message}\n${error.remediation ?? `See sfstream ${name} --help.`}`)
  } else if (error instanceof SfStreamError) {
    const said = error.server && !error.message.includes(error.server.text) ? `\n${dim('server:')} ${steerless(error.server.text)}` : ''
    const [message, remediation] = [error.message, error.remediation].map((text) => steerless(text.replace(/`(\w+)`/g, ownWord)))
    terminal.note(`${red(`${error.name}:`)} ${message}${said}\n${remediation}\n${dim('code:')} ${error.code}`)
  } else {
    terminal.note(`${red('Failed:')} ${steerless(error instanceof Error ? error.message : String(error))}`)
    if (!verbose) terminal.note(dim('--verbose shows where.'))
  }
  if (verbose) terminal.note(steerless(inspect(error, { depth: 6 })))
}
