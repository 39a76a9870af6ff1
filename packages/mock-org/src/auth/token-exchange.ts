import type { World } from '../world.ts'
import type { App } from './accounts.ts'
import { bringsRefresh, type Grant, notApproved, refused } from './grant.ts'

const subjectTypes = ['access_token', 'id_token', 'JWT', 'refresh_token', 'saml2'].map((name) => `urn:ietf:params:oauth:token-type:${name}`)

/** In characters: facts 1.4. */
const longestSubject = 10_000

/** The grant needs an Apex handler, which says whose login the other provider's token is. No source has the words of its refusals. */
export async function tokenExchange(world: World, form: URLSearchParams, app: App): Promise<Grant> {
  if (!app.tokenExchange) return refused('unsupported_grant_type', 'grant type not supported')
  const token = form.get('subject_token') ?? ''
  const type = form.get('subject_token_type') ?? ''
  if (token === '') return refused('invalid_request', 'subject token is missing')
  if (token.length > longestSubject) return refused('invalid_request', 'subject token is too long')
  if (!subjectTypes.includes(type)) return refused('invalid_request', 'subject token type is not supported')
  const handled = app.tokenExchange({ token, type, handler: form.get('token_handler') ?? undefined })
  const answer = await world.track(Promise.resolve(handled))
  if (typeof answer === 'object') return refused(answer.error, answer.error_description)
  if (answer === undefined) return refused('invalid_grant', 'authentication failure')
  const user = world.accounts.user(answer)
  if (!user?.approved) return notApproved(app)
  const scope = form.get('scope') ?? app.scopes.join(' ')
  return { user, app, scope, refresh: bringsRefresh(scope) }
}
