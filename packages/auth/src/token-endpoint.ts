import type { Platform } from '@sfstream/core'
import { postLogin, unavailable, unreadable } from './login-request.ts'
import { tokenFault } from './token-fault.ts'
import { type Read, readTokenReply, type TokenReply } from './token-reply.ts'

export interface TokenRequest {
  host: URL
  form: Readonly<Record<string, string>>
  /** What must never show in an error. */
  secrets: readonly string[]
  signal: AbortSignal
  platform: Platform
}

/**
 * One POST to `<host>/services/oauth2/token`.
 *
 * @throws AuthenticationError of `askTokenEndpoint`
 */
export function requestToken(request: TokenRequest): Promise<TokenReply> {
  return askTokenEndpoint(request, readTokenReply)
}

/**
 * The same for any reply that the token endpoint gives.
 *
 * @throws AuthenticationError `login_refused`; `login_unavailable` (retryable); `redirected`, `bad_login_url` where the host is not a login host
 */
export async function askTokenEndpoint<T>(request: TokenRequest, read: (text: string) => Read<T>): Promise<T> {
  const { host, form, secrets, signal, platform } = request
  const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }
  const body = new URLSearchParams(form).toString()
  const { text, ...told } = await postLogin({ host, path: '/services/oauth2/token', headers, body, secrets, signal, platform })
  const found = read(text)
  switch (found.kind) {
    case 'refusal':
      throw tokenFault({ error: found.error, description: found.description, ...told }, host.host, secrets)
    case 'unreadable':
      throw unreadable(host, 'token endpoint', told, found.why)
    case 'reply':
      if (told.status !== 200) throw unavailable(host, `answered HTTP ${told.status} to a login`, { told })
      return found.reply
  }
}
