import type { App, User } from './accounts.ts'
import type { OAuthError } from './oauth-reply.ts'

/** What a grant ends in: a login for a user, or a refusal. */
export type Grant =
  | { user: User; app: App; scope: string; refresh: boolean; rotated?: string; nonce?: string | undefined }
  | OAuthError
  | Response

/** Whether a login with this scope brings a refresh token, where its flow has any. */
export const bringsRefresh = (scope: string): boolean => /refresh_token|offline_access|full/.test(scope)

/** Who has not been approved beforehand may not be acted for: facts 1.4 and 1.5. */
export function notApproved(app: App): OAuthError {
  return app.adminApproval
    ? refused('invalid_app_access', 'user is not admin approved to access this app')
    : refused('invalid_grant', "user hasn't approved this consumer")
}

export const refused = (error: string, error_description: string, status = 400): OAuthError => ({ error, error_description, status })
