import type { Platform } from '@sfstream/core'
import { isLoopback } from '@sfstream/core/internal'
import * as v from 'valibot'
import { askTokenEndpoint } from './token-endpoint.ts'
import { readReply } from './token-reply.ts'

export interface DeviceCode {
  /** A secret: who has it gets the tokens. */
  deviceCode: string
  userCode: string
  verificationUri: string
  intervalMs: number
  lifetimeMs: number
}

/** Salesforce tells none, and forgets a code after ten minutes. */
const usualLifetimeMs = 600_000
const longestLifetimeMs = 3_600_000
/** RFC 8628, 3.2, where the server tells none. */
const usualIntervalS = 5
/** What a server may ask for; less would be a storm, more would outlive the code. */
const intervalsS = { least: 1, most: 60 }

// Both are shown to people, often in a terminal: nothing that could move its cursor.
const shown = (longest: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(longest), v.regex(/^[\x20-\x7e]+$/))
const success = () =>
  v.looseObject({
    device_code: v.pipe(v.string(), v.minLength(1)),
    user_code: shown(64),
    verification_uri: v.pipe(shown(2_048), v.check(isSafeUrl)),
    interval: v.optional(v.pipe(v.number(), v.minValue(0)), usualIntervalS),
    expires_in: v.optional(v.pipe(v.number(), v.minValue(1))),
  })

/**
 * Asks for a code that a user can enter elsewhere: `response_type=device_code` at the token endpoint itself, unlike RFC 8628.
 * @throws AuthenticationError of `askTokenEndpoint`
 */
export async function requestDeviceCode(request: {
  host: URL
  clientId: string
  scope: string
  secrets: readonly string[]
  signal: AbortSignal
  platform: Platform
}): Promise<DeviceCode> {
  const { clientId, scope, ...rest } = request
  const form = { response_type: 'device_code', client_id: clientId, scope }
  const reply = await askTokenEndpoint({ ...rest, form }, (text) => readReply(text, success()))
  return {
    deviceCode: reply.device_code,
    userCode: reply.user_code,
    verificationUri: reply.verification_uri,
    intervalMs: Math.min(Math.max(reply.interval, intervalsS.least), intervalsS.most) * 1_000,
    lifetimeMs: reply.expires_in === undefined ? usualLifetimeMs : Math.min(reply.expires_in * 1_000, longestLifetimeMs),
  }
}

function isSafeUrl(text: string): boolean {
  try {
    const { protocol, hostname } = new URL(text)
    return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
  } catch {
    return false
  }
}
