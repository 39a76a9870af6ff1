import { AuthenticationError, type AuthProvider, type OrgSession, type Platform, type ServerFault } from '@sfstream/core'
import { required, singleFlight, webPlatform } from '@sfstream/core/internal'
import { badCallback, readCallback } from './callback.ts'
import { given, hostNames, refreshNames } from './given.ts'
import { type LoginHostOptions, loginHost } from './login-host.ts'
import { pkcePair, randomText } from './pkce.ts'
import { redirectUrl } from './redirect-url.ts'
import { type RefreshOptions, refreshEnded, refresher } from './refresher.ts'
import { settableSessionCache } from './session-cache.ts'
import { requestToken } from './token-endpoint.ts'
import { tokenFault } from './token-fault.ts'

export interface AuthorizationCodeOptions extends LoginHostOptions, RefreshOptions {
  /** Where the login page sends the user back: one of the app's callback URLs, to the letter. */
  redirectUri: string | URL
  /** Separated by spaces. Default `api refresh_token`; without `refresh_token` the user is needed again whenever the token ends. */
  scope?: string
  /** One stored by `onRotate` before: the user is not needed then, as long as it is good. */
  refreshToken?: string
}

/** An authorization under way. Plain data; keep it where the callback is handled, and nowhere else: `codeVerifier` is a secret. */
export interface PendingAuthorization {
  /** What to open, in the browser of the user. */
  url: string
  state: string
  codeVerifier: string
}

export interface ExchangeOptions {
  /** What `authorize()` gave, where this object is not the one that gave it: after a page was left, or on another server. */
  pending?: PendingAuthorization
  signal?: AbortSignal
  /** For a fetch of your own, such as one that uses a proxy. */
  platform?: Partial<Platform>
}

export interface AuthorizationCodeProvider extends AuthProvider {
  /** Begins an authorization; sends nothing. */
  authorize(): Promise<PendingAuthorization>
  /**
   * Turns the URL the login page came back to into a session, which is the provider's from then on. Calls with one callback share
   * one request.
   * @throws AuthenticationError `bad_callback`, `login_refused` with Salesforce's words, `login_unavailable`, `store_failed`
   */
  exchange(callbackUrl: string | URL, options?: ExchangeOptions): Promise<OrgSession>
}

/**
 * The authorization code flow with PKCE: a user logs in on Salesforce's own page. Until then, and when what they granted has
 * ended, the provider rejects with `authorization_needed`.
 * @throws AuthenticationError `missing_credential`, `bad_option`, `bad_login_url`
 */
export function authorizationCode(options: AuthorizationCodeOptions): AuthorizationCodeProvider {
  const names = { ...hostNames, ...refreshNames, redirectUri: true, scope: true, refreshToken: true } as const
  const { clientId, clientSecret, scope = 'api refresh_token' } = given('authorizationCode', options, names)
  required('authorizationCode', { clientId })
  const host = loginHost(options)
  const refreshing = refresher('authorizationCode', host, options.refreshToken, options)
  const redirectUri = redirectUrl(options.redirectUri)
  let pending: PendingAuthorization | undefined
  let exchanging: { of: string; fly: (signal: AbortSignal) => Promise<OrgSession> } | undefined

  const cache = settableSessionCache(async (context) => {
    if (!refreshing.hasToken) throw needed(context.rejected ? 'The session has ended' : 'Nobody has authorized the app yet')
    return refreshing.refresh(context).catch((error: unknown) => {
      throw refreshEnded(error) ? needed('The authorization has ended', error.server) : error
    })
  })

  const request = async (code: string, asked: PendingAuthorization, signal: AbortSignal, platform: Platform): Promise<OrgSession> => {
    const form = {
      grant_type: 'authorization_code',
      client_id: clientId,
      ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
      redirect_uri: redirectUri.text,
      code,
      code_verifier: asked.codeVerifier,
    }
    const reply = await requestToken({ host, form, secrets: [...refreshing.secrets, code, asked.codeVerifier], signal, platform })
    if (pending?.state === asked.state) pending = undefined
    const session = await refreshing.accept(reply, platform)
    cache.put(session)
    return session
  }

  return {
    ...cache.provider,
    async authorize() {
      const { codeVerifier, codeChallenge } = await pkcePair()
      const state = randomText(16)
      const query = new URLSearchParams({
        response_type: 'code',
        client_id: clientId,
        redirect_uri: redirectUri.text,
        scope,
        state,
        code_challenge: codeChallenge,
        code_challenge_method: 'S256',
      })
      pending = { url: `${host.href.replace(/\/$/, '')}/services/oauth2/authorize?${query}`, state, codeVerifier }
      return { ...pending }
    },
    async exchange(callbackUrl, { pending: given, signal = new AbortController().signal, platform = {} } = {}) {
      const asked = given ?? pending
      if (!asked) {
        throw badCallback(
          'answers no authorization that this provider knows of',
          'Call authorize() first and exchange each callback once; after a page was left, pass what authorize() gave as `pending`.',
        )
      }
      if (typeof asked.state !== 'string' || !asked.state || typeof asked.codeVerifier !== 'string' || !asked.codeVerifier)
        throw badCallback('cannot be checked: `pending` has no `state` or `codeVerifier`', 'Pass all that authorize() gave, unchanged.')
      const answer = readCallback(callbackUrl, redirectUri.url, asked.state)
      if (answer.kind === 'refusal') {
        if (pending?.state === asked.state) pending = undefined
        throw tokenFault(answer, host.host, [...refreshing.secrets, asked.codeVerifier])
      }
      // Another code may come to the same URL, where the user went back and agreed again.
      const of = [asked.state, asked.codeVerifier, answer.code].join(' ')
      if (exchanging?.of !== of) exchanging = { of, fly: singleFlight((own) => request(answer.code, asked, own, webPlatform(platform))) }
      return { ...(await exchanging.fly(signal)) }
    },
  }
}

function needed(why: string, server?: ServerFault): AuthenticationError {
  return new AuthenticationError({
    code: 'authorization_needed',
    message: `authorizationCode: ${why}${server?.text ? ` (${server.error}: ${server.text})` : ''}.`,
    remediation: 'Open the URL that authorize() gives, pass the URL it comes back to to exchange(), and start again.',
    ...(server ? { server } : {}),
  })
}
