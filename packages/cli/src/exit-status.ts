import { SfStreamError } from '@sfstream/node'
import { UsageError } from './usage-error.ts'

/** What the process says when it ends. Documented in `--help` and README. */
export const exitStatus = { ok: 0, failed: 1, usage: 2, refused: 3, limit: 4 } as const

export const exitStatusHelp = `EXIT CODES

  0  ended cleanly: nothing left to do, Ctrl-C, or the reader of the pipe went away
  1  failed while running
  2  wrong usage or bad input, missing credentials included
  3  the org refused the credentials
  4  a limit of the org was met`

export function statusOf(error: unknown): number {
  if (error instanceof UsageError) return exitStatus.usage
  if (!(error instanceof SfStreamError)) return exitStatus.failed
  switch (error.code) {
    case 'bad_channel':
    case 'bad_option':
    case 'bad_replay':
    case 'bad_api_version':
    case 'bad_instance_url':
    case 'bad_login_url':
    case 'missing_credential':
    case 'jwt_access_token':
    case 'reserved_channel':
    case 'channel_in_use':
      return exitStatus.usage
    case 'login_refused':
    case 'token_refused':
      return exitStatus.refused
    case 'client_limit':
    case 'event_limit':
    case 'server_busy':
      return exitStatus.limit
    default:
      return exitStatus.failed
  }
}
