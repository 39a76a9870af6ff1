import { AuthenticationError } from '@sfstream/core'

/** Every option of a flow, so that none is forgotten here. */
type Names<T> = { readonly [Name in keyof T]-?: true }

export const hostNames = { loginUrl: true, sandbox: true } as const
export const refreshNames = { clientId: true, clientSecret: true, onRotate: true } as const

/**
 * What a flow was called with. Nothing at all is options without credentials, which is for `required` to say. One object may serve
 * several flows, so strange names pass; but not one that differs by its capitals alone, for its price is a refresh token that nobody
 * stores (`onrotate`), or a login in production (`sandBox`).
 * @throws AuthenticationError `bad_option`
 */
export function given<T extends object>(factory: string, options: T, names: Names<T>): T {
  const all = Object(options) as T
  for (const name of Object.keys(all)) {
    const known = Object.keys(names).find((known) => known.toLowerCase() === name.toLowerCase())
    if (known === undefined || known === name) continue
    throw new AuthenticationError({
      code: 'bad_option',
      message: `${factory} has no option \`${name}\`.`,
      remediation: `Spell it \`${known}\`.`,
    })
  }
  return all
}
