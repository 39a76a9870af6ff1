import { MockOrgError } from './mock-org-error.ts'

/** Looks at one value; what it may be, in words, where it is something else. */
export type Rule = (value: unknown) => string | undefined

/** What an object may hold. What is undefined is as good as left out. */
export type Shape = Readonly<Record<string, Rule>>

/** @throws MockOrgError for what it has no name for, and for values that cannot work */
export function checkShape(where: string, given: unknown, shape: Shape): void {
  if (typeof given !== 'object' || given === null) throw new MockOrgError(`${where} is ${shown(given)}`, 'Pass an object.')
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (!Object.hasOwn(shape, name)) throw new MockOrgError(`${where} has no '${name}'`, `It knows ${Object.keys(shape).join(', ')}.`)
    const wanted = shape[name]?.(value)
    if (wanted !== undefined) throw new MockOrgError(`${where}: ${name} is ${shown(value)}`, `It may be ${wanted}.`)
  }
}

/** Without what is undefined: spread over defaults, it would undo them. */
export function defined<T extends object>(given: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>
}

const rule =
  (wanted: string, fits: (value: unknown) => boolean): Rule =>
  (value) =>
    fits(value) ? undefined : wanted

/** Infinity is one. */
export const number = (least = 0): Rule => rule(`a number from ${least}`, (value) => typeof value === 'number' && value >= least)
export const whole = (least = 0): Rule =>
  rule(`a whole number from ${least}`, (value) => Number.isInteger(value) && (value as number) >= least)
export const bool = rule('true or false', (value) => typeof value === 'boolean')
export const text = rule('text', (value) => typeof value === 'string')
export const list = rule('a list', Array.isArray)
export const call = rule('a function', (value) => typeof value === 'function')
export const url = rule('a URL', (value) => typeof value === 'string' && URL.canParse(value))
export const anything = rule('anything', () => true)
export const word = (...words: readonly unknown[]): Rule => rule(words.map(shown).join(' or '), (value) => words.includes(value))
export const either = (...rules: readonly Rule[]): Rule => {
  const wanted = (value: unknown): (string | undefined)[] => rules.map((one) => one(value))
  return (value) => (wanted(value).includes(undefined) ? undefined : wanted(value).join(', or '))
}
/** Itself of a shape, which says what is wrong with it. */
export const shaped =
  (where: string, shape: Shape): Rule =>
  (value) =>
    void checkShape(where, value, shape)
export const each =
  (where: string, shape: Shape): Rule =>
  (value) => {
    if (!Array.isArray(value)) return list(value)
    for (const one of value) checkShape(where, one, shape)
    return undefined
  }

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 60)}'`
  return value === null || typeof value !== 'object' ? String(value).slice(0, 60) : Array.isArray(value) ? 'a list' : 'an object'
}
