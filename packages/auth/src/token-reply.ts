import * as v from 'valibot'

/** A successful reply of the token endpoint; keys we do not use are ignored. There is no `expires_in` for opaque tokens. */
export interface TokenReply {
  access_token: string
  instance_url: string
  /** Only where the app rotates refresh tokens. */
  refresh_token?: string | undefined
}

const success = v.looseObject({
  access_token: v.pipe(v.string(), v.minLength(1)),
  instance_url: v.pipe(v.string(), v.minLength(1)),
  refresh_token: v.optional(v.pipe(v.string(), v.minLength(1))),
})

const refusal = v.looseObject({ error: v.pipe(v.string(), v.minLength(1)), error_description: v.optional(v.string(), '') })

export type ReadReply =
  | { kind: 'token'; reply: TokenReply }
  | { kind: 'refusal'; error: string; description: string }
  | { kind: 'unreadable'; why: string }

/** Reads a body of the token endpoint; anything may stand there, such as a proxy's HTML page. */
export function readTokenReply(text: string): ReadReply {
  let body: unknown
  try {
    body = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    return {
      kind: 'unreadable',
      why: text.trim() === '' ? 'an empty body' : /^\s*</.test(text) ? 'an HTML page' : 'a body that is not JSON',
    }
  }
  const refused = v.safeParse(refusal, body)
  if (refused.success) return { kind: 'refusal', error: refused.output.error, description: refused.output.error_description }
  const token = v.safeParse(success, body)
  if (!token.success) return { kind: 'unreadable', why: `JSON without a usable ${missing(token.issues)}` }
  return { kind: 'token', reply: token.output }
}

function missing(issues: readonly v.BaseIssue<unknown>[]): string {
  return [...new Set(issues.map((issue) => v.getDotPath(issue) ?? 'object'))].join(', ')
}
