import type { ArgsDef, CommandDef } from 'citty'
import type { Environment } from './credentials.ts'
import type { Terminal } from './terminal.ts'

/** What a command gets besides its arguments. */
export interface Context {
  env: Environment
  terminal: Terminal
}

/** A citty definition, and what citty has no place for. */
export interface Command {
  definition: CommandDef<ArgsDef>
  /** Takes more arguments than it names. */
  variadic?: boolean
  /** Stands below the options in `--help`. */
  notes?: readonly string[]
}

/** May resolve with an exit status; 0 otherwise. */
type Run<T extends ArgsDef> = (args: ParsedArguments<T>, context: Context) => Promise<unknown>

/** Keeps the types of the arguments for `run`, which the common type has no place for. */
export function command<const T extends ArgsDef>(
  { run, args, description, name }: { name: string; description: string; args: T; run: Run<T> },
  extras: Omit<Command, 'definition'> = {},
): Command {
  return {
    ...extras,
    definition: {
      meta: { name, description },
      args,
      run: (context) => run(context.args as unknown as ParsedArguments<T>, context.data as Context),
    },
  }
}

/** Flags with a default or `required` are always there; `_` holds every positional. */
export type ParsedArguments<T extends ArgsDef> = {
  [K in keyof T]: T[K] extends { type: 'boolean' }
    ? boolean | undefined
    : T[K] extends { default: string } | { type: 'positional' }
      ? string
      : string | undefined
} & { _: string[] }
