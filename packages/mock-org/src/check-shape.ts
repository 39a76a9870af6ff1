import * as v from 'valibot'
import { MockOrgError } from './mock-org-error.ts'

/** Its message is what a value may be, in words. */
export type Rule = v.GenericSchema

/** What an object may hold. Under a name it knows, undefined is as good as left out. */
export type Shape = Readonly<Record<string, Rule>>

/** @throws MockOrgError for what it has no name for, and for values that cannot work */
export function checkShape(where: string, given: unknown, shape: Shape): void {
  const issue = v.safeParse(shaped(shape), given, { abortEarly: true }).issues?.[0]
  if (!issue) return
  const path = issue.path ?? []
  const last = path.at(-1)
  if (!last) throw new MockOrgError(`${where} is ${shown(given)}`, 'Pass an object.')
  const names = path.map(({ key }) => String(key))
  const name = names.pop()
  const place = names.length === 0 ? where : `${names.join('.')} of ${where}`
  if (issue.expected === 'never') throw new MockOrgError(`${place} has no '${name}'`, `It knows ${issue.message}.`)
  throw new MockOrgError(`${place}: ${name} is ${shown(last.value)}`, `It may be ${issue.message}.`)
}

/** Without what is undefined: spread over defaults, it would undo them. */
export function defined<T extends object>(given: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>
}

const orLeftOut = (shape: Shape): Record<string, Rule> =>
  Object.fromEntries(Object.entries(shape).map(([name, rule]) => [name, v.optional(rule)]))

/** The entries have no prototype: else every object would be allowed a `constructor`. */
export const shaped = (shape: Shape): Rule =>
  v.strictObject(Object.assign(Object.create(null) as object, orLeftOut(shape)), ({ expected }) =>
    expected === 'never' ? Object.keys(shape).join(', ') : 'an object',
  )
export const each = (shape: Shape): Rule => v.array(shaped(shape), 'a list')

/** Infinity is one. */
export const number = (least = 0, wanted = `a number from ${least}`): Rule => v.pipe(v.number(wanted), v.minValue(least, wanted))
export const whole = (least = 0, wanted = `a whole number from ${least}`): Rule =>
  v.pipe(v.number(wanted), v.integer(wanted), v.minValue(least, wanted))
export const bool: Rule = v.boolean('true or false')
export const text: Rule = v.string('text')
export const list: Rule = v.array(v.unknown(), 'a list')
export const call: Rule = v.function('a function')
export const url: Rule = v.pipe(v.string('a URL'), v.url('a URL'))
export const anything: Rule = v.unknown()
export const word = (...words: readonly (string | number)[]): Rule => v.picklist(words, words.map(shown).join(' or '))

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 60)}'`
  return value === null || typeof value !== 'object' ? String(value).slice(0, 60) : Array.isArray(value) ? 'a list' : 'an object'
}
