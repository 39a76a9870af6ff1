import { StateError } from '@sfstream/core'

/** A binding that wrangler.toml does not name is undefined. @throws StateError `bad_option` */
export function bound(what: string, binding: unknown, method: string, remediation: string): void {
  if (typeof (binding as Record<string, unknown> | null | undefined)?.[method] === 'function') return
  const found = binding === undefined ? 'nothing' : binding === null ? 'null' : `a value without ${method}()`
  throw new StateError({ code: 'bad_option', message: `${what} was given ${found}.`, remediation })
}
