import { parseArgs } from 'node:util'
import type { ArgsDef } from 'citty'
import { UsageError } from './usage-error.ts'

/**
 * Refuses what citty lets pass: flags it does not know, flags without their value or with an empty one (a variable that is not set),
 * too few or too many arguments.
 * `name` is how the command is called.
 * @throws UsageError
 */
export function checkArguments(name: string, args: readonly string[], definitions: ArgsDef, { variadic = false } = {}): void {
  const remediation = `See sfstream ${name} --help.`
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {}
  const positional: { name: string; required: boolean }[] = []
  for (const [key, definition] of Object.entries(definitions)) {
    if (definition.type === 'positional') positional.push({ name: key, required: definition.required !== false })
    else options[key] = { type: definition.type === 'boolean' ? 'boolean' : 'string' }
  }
  let given: readonly string[]
  let values: object
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
    given = parsed.positionals
    values = parsed.values
  } catch (error) {
    throw new UsageError(firstSentence(error as Error), remediation)
  }
  for (const [flag, value] of Object.entries(values)) {
    if (typeof value === 'string' && value.trim() === '') throw new UsageError(`--${flag} is empty.`, 'Give it a value, or leave it out.')
  }
  const missing = positional.filter((argument) => argument.required)[given.length]
  if (missing) throw new UsageError(`The argument <${missing.name}> is missing.`, remediation)
  const excess = given[positional.length]
  if (excess !== undefined && !variadic) throw new UsageError(`'${excess}' is one argument too many.`, remediation)
}

/** Node explains how to pass a positional that begins with a dash: true, and beside the point here. */
function firstSentence(error: Error): string {
  if (error.message.includes('ambiguous')) return `${error.message.split(' argument')[0]} has no value, or one that begins with a dash.`
  return `${error.message.split(/\.\s|\n/)[0]?.replace(/\.$/, '')}.`
}

/** A whole number from `min` up. @throws UsageError */
export function wholeNumber(flag: string, value: string | undefined, min: number, max = Number.MAX_SAFE_INTEGER): number | undefined {
  if (value === undefined) return undefined
  const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
  if (number >= min && number <= max) return number
  throw new UsageError(
    `--${flag} '${value}' is not a whole number ${max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`}.`,
  )
}

/** One of a few words. @throws UsageError */
export function oneOf<const T extends string>(flag: string, value: string | undefined, words: readonly T[]): T | undefined {
  if (value === undefined || (words as readonly string[]).includes(value)) return value as T | undefined
  throw new UsageError(`--${flag} '${value}' is not one of ${words.join(', ')}.`)
}
