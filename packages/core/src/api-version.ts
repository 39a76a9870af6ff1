import { HandshakeError } from './errors.ts'

/** Durable replay begins with 37.0: [Streaming API guide, durability]. */
const oldest = 37

/**
 * `66.0` from `66.0`, `66` or `v66.0`.
 * @throws HandshakeError `bad_api_version`
 */
export function apiVersion(value: string): string {
  const digits = /^v?(\d{1,3})(?:\.0)?$/.exec(value)?.[1]
  if (!digits || Number(digits) < oldest) {
    throw new HandshakeError({
      code: 'bad_api_version',
      message: digits ? `API version ${value} has no durable replay.` : `'${value}' is not an API version.`,
      remediation: `Use ${oldest}.0 or later, such as '66.0', or 'latest'.`,
    })
  }
  return `${Number(digits)}.0`
}

/** The greatest version of the org's list (`GET /services/data/`); the list need not be sorted. Undefined where there is none. */
export function latestApiVersion(list: unknown): string | undefined {
  const versions = Array.isArray(list) ? list.map((entry: { version?: unknown } | null) => Number(entry?.version)) : []
  const greatest = Math.max(...versions.filter((version) => version >= oldest))
  return Number.isFinite(greatest) ? `${greatest}.0` : undefined
}
