import { type LoginContext, redact, sessionCache, spaced } from '@sfstream/auth/internal'
import { AuthenticationError, type AuthProvider, type OrgSession } from '@sfstream/core'
import { checkedSession, deadlineReached, isSameSession, withDeadline } from '@sfstream/core/internal'
import { type SfReply, sfCommand } from './sf-command.ts'

export interface SfCliOptions {
  /** Username or alias, as `sf org list` shows it. Default: the CLI's own `target-org`. */
  targetOrg?: string
  /** For each login; the CLI itself may take seconds to start. Default 60,000. */
  timeoutMs?: number
}

type Refusal = Extract<SfReply, { kind: 'refusal' }>

/**
 * The login that the Salesforce CLI holds (`sf org login …`): for development, not for servers. Runs `sf` from the PATH, or
 * where there is none the older `sfdx`, without a shell; and again when the org refused the token, for which the CLI refreshes it.
 *
 * Rejects with `missing_credential` where the CLI is not installed, `authorization_needed` where it does not know the org or its
 * login has ended, `login_unavailable` (retryable) where it could not reach Salesforce.
 * @throws AuthenticationError `bad_option`
 */
export function sfCli(options: SfCliOptions = {}): AuthProvider {
  const { targetOrg, timeoutMs = 60_000, ...others } = options
  // A slip of the pen would mean the default org.
  const [unknown] = Object.keys(others)
  if (unknown !== undefined || typeof options !== 'object')
    throw badOption(unknown ?? 'options', 'Pass { targetOrg, timeoutMs }, or nothing.')
  // Windows' shell acts on other characters; a dash would make another option of it.
  if (targetOrg !== undefined && !/^[\p{L}\p{N}_@.+][\p{L}\p{N}_@.+-]*$/u.test(targetOrg))
    throw badOption('targetOrg', 'Pass a username or an alias, as `sf org list` shows it.')
  if (!(timeoutMs > 0)) throw badOption('timeoutMs', 'Pass a number of milliseconds above 0.')
  const login = `sf org login web${targetOrg === undefined ? ' --set-default' : ` --alias ${targetOrg}`}`

  const session = spaced(async ({ signal, platform, rejected }: LoginContext) => {
    try {
      return await withDeadline(timeoutMs, { signal, platform }, (own) => ask({ targetOrg, login, signal: own, rejected }))
    } catch (error) {
      if (error !== deadlineReached) throw error
      throw unavailable(`did not answer within ${timeoutMs / 1000} s`)
    }
  })
  return sessionCache(session)
}

async function ask(
  context: { targetOrg: string | undefined; login: string } & Pick<LoginContext, 'signal' | 'rejected'>,
): Promise<OrgSession> {
  const { targetOrg, login, signal, rejected } = context
  const secrets = rejected ? [rejected.accessToken] : []
  const result = (reply: SfReply): Readonly<Record<string, unknown>> => {
    if (reply.kind === 'missing') throw notInstalled()
    if (reply.kind === 'refusal') throw refused(reply, login, secrets)
    return reply.result
  }
  const target = targetOrg === undefined ? [] : [`--target-org=${targetOrg}`]
  const reply = await sfCommand('sf', ['org', 'display', ...target], signal)
  const org = result(
    reply.kind === 'missing'
      ? await sfCommand('sfdx', ['force:org:display', ...target.map((each) => each.replace('target-org', 'targetusername'))], signal)
      : reply,
  )
  // What `sf` found when it tried to refresh: 'Connected', or a code such as RefreshTokenAuthError. Scratch orgs have `status`.
  const state = [org.connectedStatus, org.status].filter((each) => typeof each === 'string').join(', ')
  if (loginEnded.test(state)) throw refused({ kind: 'refusal', name: state, message: '' }, login, secrets)

  // Since May 2026 `org display` shows no token any more, and another command does.
  const hidden = typeof org.accessToken !== 'string' || /\s|^$/.test(org.accessToken)
  const { accessToken } = hidden ? result(await sfCommand('sf', ['org', 'auth', 'show-access-token', ...target], signal)) : org
  if (typeof accessToken !== 'string' || typeof org.instanceUrl !== 'string') throw unavailable('answered without a token or instance URL')
  const session = checkedSession({ accessToken, instanceUrl: org.instanceUrl }, 'sfCli')
  if (isSameSession(session, rejected)) {
    // Not connected for another reason than an ended login: the network, or maintenance.
    if (typeof org.connectedStatus === 'string' && org.connectedStatus !== 'Connected')
      throw unavailable(`could not refresh the token (${redact(org.connectedStatus, secrets).slice(0, 200)})`)
    throw new AuthenticationError({
      code: 'token_refused',
      message: 'sf answered with the token the org has just refused.',
      remediation: `Log in anew: ${login}`,
    })
  }
  return session
}

const unknownOrg = /^(?:NamedOrgNotFound|NoDefaultEnv|NoTargetOrg|NoOrgFound|NoUsernameFound|NoDefaultUsername|AuthInfoCreation)/
const loginEnded = /RefreshTokenAuth|OrgDataNotAvailable|NoAccessToken|\b(?:expired|deleted|revoked)\b|INVALID_SESSION_ID|Bad_OAuth_Token/i
const network = /^E[A-Z_]{4,}$|^UND_ERR|[Tt]imeout/

function refused({ name, message }: Refusal, login: string, secrets: readonly string[]): AuthenticationError {
  const error = redact(name, secrets).slice(0, 200)
  const text = redact(message, secrets).slice(0, 500)
  const said = (text ? `${error}: ${text}` : error).replace(/\s+/g, ' ')
  const server = { error, text }
  if (network.test(name)) return unavailable(`could not reach Salesforce (${said})`, server)
  const unknown = unknownOrg.test(name)
  if (unknown || loginEnded.test(`${name} ${message}`)) {
    return new AuthenticationError({
      code: 'authorization_needed',
      message: unknown ? `sf knows no such org (${said}).` : `The login that sf holds has ended (${said}).`,
      remediation: unknown ? `Log in: ${login}. \`sf org list\` shows what there is.` : `Log in anew: ${login}`,
      server,
    })
  }
  return new AuthenticationError({
    code: 'login_refused',
    message: `sf refused (${said}).`,
    remediation: 'Run `sf org display` in a terminal; `sf doctor` may know more.',
    server,
  })
}

function unavailable(why: string, server?: { error: string; text: string }): AuthenticationError {
  return new AuthenticationError({
    code: 'login_unavailable',
    message: `sf ${why}.`,
    remediation: 'Try again after a pause; if it lasts, run `sf org display` in a terminal.',
    retryable: true,
    ...(server ? { server } : {}),
  })
}

function notInstalled(): AuthenticationError {
  return new AuthenticationError({
    code: 'missing_credential',
    message: 'sfCli: there is neither `sf` nor `sfdx` on the PATH.',
    remediation:
      'Install the Salesforce CLI (npm install --global @salesforce/cli) and log in with `sf org login web`, or use another flow.',
  })
}

function badOption(name: string, remediation: string): AuthenticationError {
  return new AuthenticationError({ code: 'bad_option', message: `sfCli: \`${name}\` cannot be right.`, remediation })
}
