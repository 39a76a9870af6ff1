import { badOption } from './errors.ts'
import { kindOf } from './kind-of.ts'

/**
 * What each option may be, in the words of TypeScript, because messages say them too: kinds, texts, a least number, the names of what an
 * object must have; or a shape of its own. `any` is looked at where it is used.
 */
export interface Shape {
  readonly [option: string]: string | Shape
}

/** @throws SfStreamError `bad_option` */
export function checkShape(where: string, given: unknown, shape: Shape, otherwise = 'Pass its options by name.'): void {
  if (kindOf(given) !== 'object') throw badOption(`${where} needs an object, not ${shown(given)}`, otherwise)
  for (const [name, value] of Object.entries(given as object)) {
    if (value === undefined) continue
    const may = Object.hasOwn(shape, name) ? shape[name] : undefined
    if (!may) throw badOption(`${where} has no option '${name}'`, `It knows ${Object.keys(shape).join(', ')}.`)
    const words = typeof may === 'string' ? may : 'object'
    if (!words.split(' | ').some((word) => fits(value, word)))
      throw badOption(`${where}: ${name} is ${shown(value)}`, `It may be: ${words}.`)
    if (typeof may === 'object') checkShape(where.endsWith(')') ? name : `${where}.${name}`, value, may)
  }
}

const least = 'number >= '

function fits(value: unknown, word: string): boolean {
  if (typeof value === 'string' && word === `'${value}'`) return true
  if (word.startsWith(least)) return typeof value === 'number' && value >= Number(word.slice(least.length))
  if (word.startsWith('{'))
    return word
      .slice(2, -2)
      .split(', ')
      .every((name) => Object(value)[name])
  return word === 'any' || word === kindOf(value)
}

/** Numbers and short texts; objects may hold secrets, and some cannot be shown at all. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 30)}'` : typeof value === 'number' ? String(value) : kindOf(value)
}
