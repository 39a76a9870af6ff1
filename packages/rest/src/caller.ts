import { AuthenticationError, type OrgSession, type Platform } from '@sfstream/core'
import { apiVersion as checkedVersion, latestApiVersion, singleFlight } from '@sfstream/core/internal'
import * as v from 'valibot'
import { type Exchange, exchange } from './exchange.ts'
import { type ApiVersion, versionList } from './replies.ts'
import { isRelative, requestUrl } from './request-url.ts'
import { badReply, refusesToken, restFault, serverFault } from './rest-fault.ts'
import type { RestRequest } from './rest-request.ts'
import { type Auth, sessionSource } from './session-source.ts'

export interface Caller {
  /** One call with the token; a refused token is replaced once and the call made again. Answers the decoded body. */
  call(path: string, init: RestRequest): Promise<unknown>
  /** The versions the org serves, oldest first as it lists them. Needs no token, and sends none. */
  versions(signal: AbortSignal): Promise<ApiVersion[]>
}

/** @throws HandshakeError `bad_api_version` */
export function caller({ auth, apiVersion, platform }: { auth: Auth; apiVersion: string; platform: Platform }): Caller {
  const session = sessionSource(auth, platform)
  let version = apiVersion === 'latest' ? undefined : checkedVersion(apiVersion)

  const versions = async (signal: AbortSignal): Promise<ApiVersion[]> => {
    const { instanceUrl } = await session(signal)
    const url = new URL('/services/data/', instanceUrl)
    const target = `GET ${url.host}${url.pathname}`
    const reply = await exchange(url, {}, { signal, platform, accessToken: undefined })
    const list = v.safeParse(versionList, decoded(target, reply, undefined))
    if (!list.success) throw badReply(target, 'no list of versions')
    return list.output.map(({ version, label, url }) => ({ version, label, url }))
  }

  const newest = singleFlight(async (signal) => {
    const found = latestApiVersion(await versions(signal))
    if (found === undefined) throw badReply('GET /services/data/', 'no version that can be used')
    version = found
    return found
  })

  const attempt = async (
    path: string,
    init: RestRequest,
    used: OrgSession,
    signal: AbortSignal,
  ): Promise<{ target: string; reply: Exchange; isRefused: boolean }> => {
    const base = isRelative(path) ? `/services/data/v${version ?? (await newest(signal))}` : ''
    const url = requestUrl(path, init.query, used.instanceUrl, base)
    // Queries hold data: messages name the path only.
    const target = `${init.method ?? 'GET'} ${url.host}${url.pathname}`
    const reply = await exchange(url, init, { signal, platform, accessToken: used.accessToken })
    return { target, reply, isRefused: refusesToken(reply, url.pathname) }
  }

  return {
    versions,
    call: async (path, init) => {
      const signal = init.signal ?? new AbortController().signal
      let used = await session(signal)
      let { target, reply, isRefused } = await attempt(path, init, used, signal)
      if (isRefused) {
        used = await session(signal, used)
        ;({ target, reply, isRefused } = await attempt(path, init, used, signal))
      }
      if (isRefused) {
        const server = serverFault(reply, used.accessToken)
        throw new AuthenticationError({
          code: 'token_refused',
          message: `${target}: the org refused a token it has just issued (${[`HTTP ${reply.status}`, server.error, server.text].filter(Boolean).join(', ')}).`,
          remediation:
            'Check the user\'s session policies: IP lock, login hours, "API Enabled", and that the token belongs to this instance.',
          server,
        })
      }
      return decoded(target, reply, used.accessToken)
    },
  }
}

/** The body of a success: JSON as a value, other text as it is, nothing as undefined. */
function decoded(target: string, reply: Exchange, accessToken: string | undefined): unknown {
  const { status, text } = reply
  if (status === 304) return undefined
  if (status < 200 || status > 299) throw restFault(target, serverFault(reply, accessToken))
  if (text.trim() === '') return undefined
  const type = reply.headers.get('content-type') ?? ''
  if (/\bhtml\b/i.test(type) || /^\s*<!doctype html|^\s*<html/i.test(text)) throw badReply(target, 'an HTML page')
  if (!/\bjson\b/i.test(type)) return text
  try {
    return JSON.parse(text)
  } catch {
    throw badReply(target, 'JSON that cannot be read')
  }
}
