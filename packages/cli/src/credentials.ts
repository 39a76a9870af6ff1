import { readFileSync } from 'node:fs'
import { type AuthProvider, accessToken, clientCredentials, jwtBearer, password, refreshToken } from '@sfstream/node'
import { inOwnWords } from './own-words.ts'
import { UsageError } from './usage-error.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface CredentialFlags {
  instanceUrl?: string | undefined
  loginUrl?: string | undefined
  sandbox?: boolean | undefined
}

const sets = `  a token you have     SF_ACCESS_TOKEN SF_INSTANCE_URL
  JWT bearer           SF_CLIENT_ID SF_USERNAME SF_PRIVATE_KEY (or SF_PRIVATE_KEY_FILE)
  refresh token        SF_CLIENT_ID SF_REFRESH_TOKEN [SF_CLIENT_SECRET]
  password             SF_CLIENT_ID SF_CLIENT_SECRET SF_USERNAME SF_PASSWORD [SF_SECURITY_TOKEN]
  client credentials   SF_CLIENT_ID SF_CLIENT_SECRET SF_LOGIN_URL

  SF_LOGIN_URL is your My Domain URL; without it login.salesforce.com is asked.`

export const credentialsHelp = `CREDENTIALS, from the environment; the first complete set counts

${sets}
  HTTPS_PROXY, HTTP_PROXY and NO_PROXY are obeyed.`

/**
 * The auth provider that the environment describes; flags go before variables.
 * @throws UsageError where nothing, or only a part, is set, or a flag would have no effect; AuthenticationError for values that cannot be
 * right.
 */
export function credentials(env: Environment, flags: CredentialFlags = {}): AuthProvider {
  return inOwnWords(namesOf(env, flags), () => provider(env, flags))
}

/** Where each option of a provider was taken from. */
function namesOf(env: Environment, flags: CredentialFlags): Record<string, string> {
  const instanceUrl = flags.instanceUrl === undefined ? 'SF_INSTANCE_URL' : '--instance-url'
  const isElsewhere = flags.loginUrl === undefined && !env.SF_LOGIN_URL?.trim() && (flags.instanceUrl ?? env.SF_INSTANCE_URL) !== undefined
  return {
    accessToken: 'SF_ACCESS_TOKEN',
    instanceUrl,
    loginUrl: isElsewhere ? instanceUrl : flags.loginUrl === undefined ? 'SF_LOGIN_URL' : '--login-url',
    sandbox: '--sandbox',
    clientId: 'SF_CLIENT_ID',
    clientSecret: 'SF_CLIENT_SECRET',
    username: 'SF_USERNAME',
    password: 'SF_PASSWORD',
    securityToken: 'SF_SECURITY_TOKEN',
    refreshToken: 'SF_REFRESH_TOKEN',
    privateKey: env.SF_PRIVATE_KEY_FILE?.trim() ? 'SF_PRIVATE_KEY_FILE' : 'SF_PRIVATE_KEY',
  }
}

function provider(env: Environment, flags: CredentialFlags): AuthProvider {
  const get = (name: string): string | undefined => env[name]?.trim() || undefined
  const need = (name: string, because: string): string => {
    const value = get(name)
    if (value) return value
    throw new UsageError(`${name} is not set, and ${because} needs it.`, `Set ${name}. The sets of variables are:\n\n${sets}`)
  }
  if (flags.sandbox && flags.loginUrl)
    throw new UsageError('--sandbox and --login-url exclude each other.', 'Leave --sandbox out: the URL says it all.')
  const instanceUrl = flags.instanceUrl ?? get('SF_INSTANCE_URL')
  const loginUrl = flags.loginUrl ?? (flags.sandbox ? undefined : (get('SF_LOGIN_URL') ?? flags.instanceUrl))
  const host = loginUrl ? { loginUrl } : flags.sandbox ? { sandbox: true } : {}

  // A flag without effect would leave the command to another org than the one that was meant.
  const pointless = flags.sandbox ? '--sandbox' : flags.loginUrl === undefined ? undefined : '--login-url'
  const token = get('SF_ACCESS_TOKEN')
  if (token && pointless) {
    throw new UsageError(
      `${pointless} has no effect: with SF_ACCESS_TOKEN nobody logs in.`,
      'Unset SF_ACCESS_TOKEN to log in, or leave the flag out and name the org with --instance-url.',
    )
  }
  if (token) return accessToken({ accessToken: token, instanceUrl: instanceUrl ?? need('SF_INSTANCE_URL', 'SF_ACCESS_TOKEN') })

  if (get('SF_PRIVATE_KEY') || get('SF_PRIVATE_KEY_FILE')) {
    const because = 'SF_PRIVATE_KEY'
    return jwtBearer({
      clientId: need('SF_CLIENT_ID', because),
      username: need('SF_USERNAME', because),
      privateKey: privateKey(env),
      ...host,
    })
  }

  const secret = get('SF_CLIENT_SECRET')
  const refresh = get('SF_REFRESH_TOKEN')
  if (refresh) {
    const clientId = need('SF_CLIENT_ID', 'SF_REFRESH_TOKEN')
    return refreshToken({ refreshToken: refresh, clientId, ...(secret && { clientSecret: secret }), ...host })
  }

  const username = get('SF_USERNAME')
  if (username || env.SF_PASSWORD) {
    const because = username ? 'SF_USERNAME' : 'SF_PASSWORD'
    const securityToken = get('SF_SECURITY_TOKEN')
    need('SF_PASSWORD', because)
    return password({
      username: need('SF_USERNAME', because),
      // Not trimmed: a password may begin or end with a space.
      password: env.SF_PASSWORD ?? '',
      clientId: need('SF_CLIENT_ID', because),
      clientSecret: need('SF_CLIENT_SECRET', because),
      ...(securityToken && { securityToken }),
      ...host,
    })
  }

  if (get('SF_CLIENT_ID') || secret) {
    if (flags.sandbox) {
      throw new UsageError(
        '--sandbox names test.salesforce.com, which does not serve the client credentials flow.',
        "Name the sandbox's My Domain with --login-url, such as https://acme--dev.sandbox.my.salesforce.com.",
      )
    }
    return clientCredentials({
      clientId: need('SF_CLIENT_ID', 'SF_CLIENT_SECRET'),
      clientSecret: need('SF_CLIENT_SECRET', 'SF_CLIENT_ID (alone)'),
      // This flow knows no general login host: an instance's own URL serves where no other is given.
      loginUrl: loginUrl ?? instanceUrl ?? need('SF_LOGIN_URL', 'the client credentials flow'),
    })
  }
  throw new UsageError(
    'There are no credentials in the environment.',
    `Set the variables of one line:\n\n${sets}\n\nOr try sfstream demo, which needs none.`,
  )
}

function privateKey(env: Environment): string {
  const file = env.SF_PRIVATE_KEY_FILE?.trim()
  // In a variable, line breaks are often written as two characters.
  if (!file) return (env.SF_PRIVATE_KEY ?? '').replaceAll('\\n', '\n')
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(
      `SF_PRIVATE_KEY_FILE ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
      'Name a PEM file that exists.',
    )
  }
}
