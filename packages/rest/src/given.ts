import { StateError } from '@sfstream/core'

/** Nothing was sent. */
export function badOption(what: string, remediation: string): StateError {
  return new StateError({ code: 'bad_option', message: `${what}.`, remediation })
}

/** An option that nobody knows is a slip of the pen, and would do nothing without a word. @throws StateError `bad_option` */
export function onlyKnown<T extends object>(where: string, options: T, names: readonly (keyof T & string)[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || (names as readonly string[]).includes(name)) continue
    throw badOption(`${where} has no option '${name.slice(0, 30)}'`, `It knows ${names.join(', ')}.`)
  }
}
