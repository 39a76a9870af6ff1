import { AuthenticationError, type AuthProvider, type Platform, type ServerFault } from '@sfstream/core'
import { deadlineReached, required, sleep, withDeadline } from '@sfstream/core/internal'
import { type DeviceCode, requestDeviceCode } from './device-code.ts'
import { given, hostNames, refreshNames } from './given.ts'
import { type LoginHostOptions, loginHost } from './login-host.ts'
import { safeCause } from './redact.ts'
import { type RefreshOptions, refreshEnded, refresher } from './refresher.ts'
import { sessionCache } from './session-cache.ts'
import { spaced } from './spaced.ts'
import { requestToken } from './token-endpoint.ts'
import type { TokenReply } from './token-reply.ts'

export interface DeviceFlowOptions extends LoginHostOptions, RefreshOptions {
  /**
   * Shows the user what to do: open `verificationUri` on any device and enter `userCode` there. Called for each code, which is
   * good for ten minutes. When it fails, so does the login.
   */
  onCode: (userCode: string, verificationUri: string) => unknown
  /** Separated by spaces. Default `api refresh_token`; without `refresh_token` the user is needed again whenever the token ends. */
  scope?: string
  /** One stored by `onRotate` before: the user is not needed then, as long as it is good. */
  refreshToken?: string
}

interface Context {
  signal: AbortSignal
  platform: Platform
}

/** RFC 8628, 3.5. */
const slowDownMs = 5_000
const longestIntervalMs = 60_000

/**
 * The device flow: a user authorizes a program that has no browser, on a device that has one. A login lasts until they do, at
 * most ten minutes; when what they granted has ended, `onCode` is called again.
 * @throws AuthenticationError `missing_credential`, `bad_option`, `bad_login_url`
 */
export function deviceFlow(options: DeviceFlowOptions): AuthProvider {
  const names = { ...hostNames, ...refreshNames, onCode: true, scope: true, refreshToken: true } as const
  const { clientId, clientSecret, onCode, scope = 'api refresh_token' } = given('deviceFlow', options, names)
  required('deviceFlow', { clientId })
  const host = loginHost(options)
  const refreshing = refresher('deviceFlow', host, options.refreshToken, options)
  if (typeof onCode !== 'function') {
    throw new AuthenticationError({
      code: 'bad_option',
      message: `deviceFlow: \`onCode\` is ${onCode === undefined ? 'missing' : 'no function'}.`,
      remediation: 'Pass a function that shows the user the code and the URL to enter it at.',
    })
  }

  const show = async ({ userCode, verificationUri, deviceCode }: DeviceCode): Promise<void> => {
    try {
      await onCode(userCode, verificationUri)
    } catch (error) {
      throw new AuthenticationError({
        code: 'login_refused',
        message: '`onCode` failed: the user could not be asked.',
        remediation: 'See `cause`.',
        cause: safeCause(error, [...refreshing.secrets, deviceCode]),
      })
    }
  }

  const poll = async (code: DeviceCode, { signal, platform }: Context): Promise<TokenReply> => {
    // The grant is called `device` and its parameter `code`, unlike RFC 8628.
    const form = {
      grant_type: 'device',
      client_id: clientId,
      ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
      code: code.deviceCode,
    }
    let { intervalMs } = code
    for (;;) {
      await sleep(intervalMs, signal, platform)
      try {
        return await requestToken({ host, form, secrets: [...refreshing.secrets, code.deviceCode], signal, platform })
      } catch (error) {
        if (!(error instanceof AuthenticationError)) throw error
        const said = error.server?.error
        if (said === 'authorization_pending') continue
        if (said === 'slow_down') intervalMs += slowDownMs
        // The code outlives an outage; RFC 8628, 3.5 wants fewer polls then.
        else if (error.retryable) intervalMs *= 2
        else throw codeEnded(error) ? expired(error.server) : error
        intervalMs = Math.min(intervalMs, longestIntervalMs)
      }
    }
  }

  const ask = spaced(async ({ signal, platform }: Context) => {
    const code = await requestDeviceCode({ host, clientId, scope, secrets: refreshing.secrets, signal, platform })
    try {
      const reply = await withDeadline(code.lifetimeMs, { signal, platform }, async (own) => {
        await show(code)
        return poll(code, { signal: own, platform })
      })
      return await refreshing.accept(reply, platform)
    } catch (error) {
      throw error === deadlineReached ? expired() : error
    }
  })

  return sessionCache(async (context) => {
    if (!refreshing.hasToken) return ask(context)
    try {
      return await refreshing.refresh(context)
    } catch (error) {
      if (refreshEnded(error)) return ask(context)
      throw error
    }
  })
}

/** `expired_token` is RFC 8628's; Salesforce's own wording is an invalid_grant about the device code. */
function codeEnded({ server }: AuthenticationError): boolean {
  return server?.error === 'expired_token' || /expired device code/i.test(server?.text ?? '')
}

function expired(server?: ServerFault): AuthenticationError {
  return new AuthenticationError({
    code: 'authorization_needed',
    message: `deviceFlow: nobody entered the code in time${server ? ` (${server.error}: ${server.text})` : ''}.`,
    remediation: 'Start again, and have the new code entered within ten minutes.',
    ...(server ? { server } : {}),
  })
}
