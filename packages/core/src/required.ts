import { AuthenticationError } from './errors.ts'

/**
 * Refuses a missing credential when the provider is made, not at the first login.
 * @throws AuthenticationError `missing_credential`
 */
export function required(factory: string, credentials: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(credentials)) {
    if (typeof value === 'string' && value.trim() !== '') continue
    const found = value === undefined || value === null ? 'is missing' : typeof value === 'string' ? 'is empty' : `is a ${typeof value}`
    throw new AuthenticationError({
      code: 'missing_credential',
      message: `${factory}: \`${name}\` ${found}.`,
      remediation: `Pass \`${name}\` as a non-empty string; check the variable it comes from.`,
    })
  }
}
