import { parseArgs } from 'node:util'

export interface SoakArguments {
  minutes: number
  out: string
  seed: number
  /** Events a second, all channels together. */
  rate: number
}

/** The command line cannot be used as it is. */
export class SoakUsageError extends Error {}

export const usage = `pnpm soak [--minutes N] [--out folder] [--seed N] [--rate N]

  --minutes  how long faults strike; 10 by default, and fractions will do
  --out      where soak.json and soak.svg go; ./soak-out by default
  --seed     which faults strike when; 1 by default
  --rate     events a second; 20 by default, 1,000 at most`

/** @throws SoakUsageError */
export function soakArguments(args: readonly string[]): SoakArguments {
  let values: { minutes?: string; out?: string; seed?: string; rate?: string }
  try {
    const option = { type: 'string' } as const
    // pnpm 12 hands on the `--` of `pnpm soak -- --minutes 1`.
    const given = args[0] === '--' ? args.slice(1) : [...args]
    values = parseArgs({ args: [...given], options: { minutes: option, out: option, seed: option, rate: option } }).values
  } catch (error) {
    throw new SoakUsageError(`${(error as Error).message.split(/\.\s|\n/)[0]?.replace(/\.$/, '')}.`)
  }
  const { minutes = '10', out = 'soak-out', seed = '1', rate = '20' } = values
  if (out === '') throw new SoakUsageError('--out is empty; it names a folder.')
  return {
    minutes: number('minutes', minutes, /^\d{1,6}(\.\d{1,6})?$/, 0.05, 100_000, 'a number of minutes from 0.05 to 100000'),
    out,
    seed: number('seed', seed, /^\d{1,10}$/, 0, 4_294_967_295, 'a whole number from 0 to 4294967295'),
    rate: number('rate', rate, /^\d{1,4}(\.\d{1,3})?$/, 0.1, 1_000, 'a number of events a second from 0.1 to 1000'),
  }
}

function number(name: string, text: string, form: RegExp, min: number, max: number, what: string): number {
  const value = form.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new SoakUsageError(`--${name} '${text}' is not ${what}.`)
}
