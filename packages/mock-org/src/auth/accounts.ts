import { letters, type Random, recordId } from '../ids.ts'

/** Web Crypto's, named without a global that types of Node alone lack. */
export type CryptoKey = Extract<Awaited<ReturnType<typeof crypto.subtle.generateKey>>, { type: string }>

/** A user of the org. */
export interface User {
  /** 15 characters; made up when left out. */
  id: string
  username: string
  password: string
  securityToken: string
  active: boolean
  /** Whether a JWT or client-credentials app may act for this user without asking. */
  approved: boolean
  name: string
  email: string
}

/** A connected app. */
export interface App {
  clientId: string
  clientSecret: string
  /** Verifies JWT assertions: an X.509 certificate or a public key in PEM, or a JWK. */
  certificate: string | Readonly<Record<string, unknown>> | CryptoKey | undefined
  redirectUris: readonly string[]
  /** The username client credentials act for; undefined: none was set up. */
  runAs: string | undefined
  /** Asks for PKCE, which also breaks client credentials. */
  requirePkce: boolean
  /** Asks for the client secret on every flow that has one. */
  requireSecret: boolean
  scopes: readonly string[]
  /** Takes only users that an administrator has approved: those that are not `approved` are refused with `invalid_app_access`. */
  adminApproval: boolean
  /** Stands for the Apex handler of token exchange: whose login a subject token is. undefined: the app has no such flow. */
  tokenExchange: TokenExchange | undefined
}

/** The username, or why the token is refused; undefined refuses it too. */
export type TokenExchange = (subject: SubjectToken) => TokenExchangeAnswer | Promise<TokenExchangeAnswer>
export type TokenExchangeAnswer = string | { error: string; error_description: string } | undefined

export interface SubjectToken {
  token: string
  /** `urn:ietf:params:oauth:token-type:…` */
  type: string
  /** The `token_handler` that the client asked for. */
  handler: string | undefined
}

export interface Accounts {
  readonly orgId: string
  readonly users: User[]
  readonly apps: App[]
  /** A generic channel unknown so far is made by the first subscriber. */
  readonly dynamicChannels: boolean
  user(username: string): User | undefined
  userById(id: string): User | undefined
  app(clientId: string): App | undefined
}

export interface AccountOptions {
  random: Random
  orgId?: string | undefined
  users: readonly Partial<User>[]
  apps: readonly Partial<App>[]
  dynamicChannels: boolean
}

export function accounts(options: AccountOptions): Accounts {
  const { random } = options
  const users = (options.users.length > 0 ? options.users : [{}]).map((given, index): User => {
    const username = given.username ?? `user${index || ''}@acme.example`
    return {
      id: recordId(random, '005'),
      username,
      password: 'correct-horse',
      securityToken: letters(random, 24),
      active: true,
      approved: true,
      name: 'Ada Example',
      email: username,
      ...given,
    }
  })
  const apps = (options.apps.length > 0 ? options.apps : [{}]).map(
    (given): App => ({
      clientId: `3MVG9${letters(random, 80)}`,
      clientSecret: letters(random, 64, '0123456789ABCDEF'),
      certificate: undefined,
      redirectUris: ['http://localhost:1717/OauthRedirect', 'https://app.example/callback'],
      runAs: users[0]?.username,
      requirePkce: false,
      requireSecret: true,
      scopes: ['api', 'refresh_token'],
      adminApproval: false,
      tokenExchange: undefined,
      ...given,
    }),
  )
  return {
    orgId: options.orgId ?? recordId(random, '00D'),
    users,
    apps,
    dynamicChannels: options.dynamicChannels,
    user: (username) => users.find((user) => user.username.toLowerCase() === username.toLowerCase()),
    userById: (id) => users.find((user) => user.id === id),
    app: (clientId) => apps.find((app) => app.clientId === clientId),
  }
}
