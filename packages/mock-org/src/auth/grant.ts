import type { App, User } from './accounts.ts'
import type { OAuthError } from './oauth-reply.ts'

/** What a grant ends in: a login for a user, or a refusal. */
export type Grant = { user: User; app: App; scope: string; refresh: boolean; rotated?: string } | OAuthError | Response

export const refused = (error: string, error_description: string, status = 400): OAuthError => ({ error, error_description, status })
