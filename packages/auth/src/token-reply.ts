import * as v from 'valibot'
import { kindOf } from './login-request.ts'

/** A successful reply of the token endpoint; keys we do not use are ignored. There is no `expires_in` for opaque tokens. */
export interface TokenReply {
  access_token: string
  instance_url: string
  /** Where the user granted one, and with every refresh where the app rotates them. */
  refresh_token?: string | undefined
}

// Functions, not constants: a bundler keeps what a module makes when it is loaded, and with it valibot in pages that log in nowhere.
const token = () =>
  v.looseObject({
    access_token: v.pipe(v.string(), v.minLength(1)),
    instance_url: v.pipe(v.string(), v.minLength(1)),
    refresh_token: v.optional(v.pipe(v.string(), v.minLength(1))),
  })

// Whatever the description is, a refusal is one: taken for a passing trouble, wrong credentials would be tried until the user is locked out.
const refusal = () =>
  v.looseObject({ error: v.pipe(v.string(), v.minLength(1)), error_description: v.optional(v.fallback(v.string(), ''), '') })

const rotation = () => v.looseObject({ refresh_token: v.pipe(v.string(), v.minLength(1)) })

/** `refreshToken`: in a reply that is of no use otherwise, too, because the one before it is dead. */
export type Read<T> =
  | { kind: 'reply'; reply: T; refreshToken: string | undefined }
  | { kind: 'refusal'; error: string; description: string }
  | { kind: 'unreadable'; why: string; refreshToken: string | undefined }

/** Reads the reply to a grant. */
export function readTokenReply(text: string): Read<TokenReply> {
  return readReply(text, token())
}

/** Reads a body of the token endpoint; anything may stand there, such as a proxy's HTML page. */
export function readReply<T>(text: string, success: v.GenericSchema<unknown, T>): Read<T> {
  let body: unknown
  try {
    body = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    return { kind: 'unreadable', why: kindOf(text, 'JSON'), refreshToken: undefined }
  }
  const refused = v.safeParse(refusal(), body)
  if (refused.success) return { kind: 'refusal', error: refused.output.error, description: refused.output.error_description }
  const rotated = v.safeParse(rotation(), body)
  const refreshToken = rotated.success ? rotated.output.refresh_token : undefined
  const read = v.safeParse(success, body)
  if (!read.success) return { kind: 'unreadable', why: `JSON without a usable ${missing(read.issues)}`, refreshToken }
  return { kind: 'reply', reply: read.output, refreshToken }
}

function missing(issues: readonly v.BaseIssue<unknown>[]): string {
  return [...new Set(issues.map((issue) => v.getDotPath(issue) ?? 'object'))].join(', ')
}
