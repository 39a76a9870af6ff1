import { untilAborted } from '../../async/until-aborted.ts'
import { isSameSession, type OrgSession } from '../../auth-provider.ts'
import { checkedSession } from '../../checked-session.ts'
import type { SfStreamError } from '../../errors.ts'
import type { BayeuxOptions } from '../../options.ts'
import type { Platform } from '../../platform.ts'
import { providerFailed } from '../../provider-failed.ts'

/** The token in hand, and how to get another. */
export interface Tokens {
  readonly current: OrgSession | undefined
  /**
   * A token; with `refused`, another than the one in hand.
   * @throws AuthenticationError; where no other token is to be had, `refused` itself
   */
  get(signal: AbortSignal, refused?: SfStreamError): Promise<OrgSession>
}

export function tokens(auth: BayeuxOptions['auth'], platform: Platform): Tokens {
  return new HeldTokens(auth, platform)
}

class HeldTokens implements Tokens {
  readonly #auth: BayeuxOptions['auth']
  readonly #platform: Platform
  #current: OrgSession | undefined
  /** Refused by the org, and not replaced since: a later start must not begin with it. */
  #rejected: OrgSession | undefined

  constructor(auth: BayeuxOptions['auth'], platform: Platform) {
    this.#auth = typeof auth === 'function' || 'getSession' in auth ? auth : checkedSession(auth, 'auth')
    this.#platform = platform
  }

  get current(): OrgSession | undefined {
    return this.#current
  }

  async get(signal: AbortSignal, refused?: SfStreamError): Promise<OrgSession> {
    if (refused) this.#rejected = this.#current
    else if (this.#current && this.#current !== this.#rejected) return this.#current
    let session: OrgSession
    try {
      session = checkedSession(await untilAborted(this.#fetch(signal), signal), 'auth')
    } catch (error) {
      throw signal.aborted ? error : providerFailed(error)
    }
    // The same bad token again would only be refused again, unless it is for where the org has moved. [PROTOCOL F4]
    if (refused && isSameSession(this.#current, session)) throw refused
    this.#current = session
    this.#rejected = undefined
    return session
  }

  /** Async, because the provider may be no more than that: what it throws or returns at once counts as well. */
  async #fetch(signal: AbortSignal): Promise<OrgSession> {
    const auth = this.#auth
    if (typeof auth === 'function') return auth()
    if ('accessToken' in auth) return auth
    const rejected = this.#rejected
    return auth.getSession({ signal, platform: this.#platform, ...(rejected && { rejected }) })
  }
}
