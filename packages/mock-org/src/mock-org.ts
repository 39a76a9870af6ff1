import { type App, accounts, type User } from './auth/accounts.ts'
import { tokenStore } from './auth/token-store.ts'
import { fanOut } from './bayeux/delivery.ts'
import { sessionTable } from './bayeux/session-table.ts'
import { authenticationInvalid } from './bayeux/texts.ts'
import { browserProfile } from './browser-profile.ts'
import { checkOptions } from './check-options.ts'
import { defined } from './check-shape.ts'
import { type Clock, systemClock } from './clock.ts'
import type { ChannelDefinition } from './events/channel-definition.ts'
import { eventBus, type ReplayIdOptions } from './events/event-bus.ts'
import type { PublishExtra } from './events/publish-extra.ts'
import { sampleEvent } from './events/sample-event.ts'
import { faultPlan } from './faults/fault-plan.ts'
import { type Faults, faults } from './faults/faults.ts'
import type { ScenarioId } from './faults/scenarios.ts'
import { hosts } from './hosts.ts'
import { type Inspect, inspect, type PublishedEvent, published } from './inspect.ts'
import { type Edition, type Limits, limitsOf } from './limits.ts'
import { seededRandom } from './random.ts'
import { keepNewest, type SeenRequest } from './records.ts'
import { service } from './serve.ts'
import { defaultSwitches, type Switches } from './switches.ts'
import { usage } from './usage.ts'
import type { VirtualClock } from './virtual-clock.ts'
import type { World } from './world.ts'

export interface MockOrgOptions {
  /** Default: the machine's time. */
  clock?: Clock
  /** Every random choice comes from it. Default 1. */
  seed?: number
  /** Default `https://acme.my.salesforce.com`. */
  instanceUrl?: string
  /** Default `https://login.salesforce.com`. */
  loginUrl?: string
  /** Default `https://test.salesforce.com`. */
  sandboxLoginUrl?: string
  /** An Experience Cloud site, such as `https://acme.my.site.com/partners`: for logins alone. Default none. */
  siteUrl?: string
  /** Where `faults.migrate()` moves the org. Default `https://acme2.my.salesforce.com`. */
  migrationUrl?: string
  /** Channels beside the standard ones of the README. */
  channels?: readonly (string | ChannelDefinition)[]
  users?: readonly Partial<User>[]
  apps?: readonly Partial<App>[]
  /** The origins whose pages may call REST: Setup's CORS allowlist. Default none. */
  corsOrigins?: readonly string[]
  /** 15 characters, starting `00D`. */
  orgId?: string
  /** Default enterprise. */
  edition?: Edition
  limits?: Partial<Limits>
  switches?: Partial<Switches>
  replayIds?: ReplayIdOptions
  scenario?: ScenarioId | (string & {})
  /** Generic channels unknown so far are made on subscribing. Default true. */
  dynamicChannels?: boolean
  /** Life of an access token after its last use. Default two hours. */
  sessionTimeoutMs?: number
  /** The newest API version of the list, which starts at 31.0. Default 67. */
  newestVersion?: number
  /** How much is remembered: events of each channel (1,000,000), requests (10,000), deliveries of each session (1,000,000). */
  memory?: { events?: number; requests?: number; deliveries?: number }
}

/** A login that works, for each flow. */
export interface Credentials {
  readonly clientId: string
  readonly clientSecret: string
  readonly username: string
  readonly password: string
  readonly securityToken: string
  /** A new refresh token with each reading. */
  readonly refreshToken: string
}

export interface MockOrg {
  /** Serves the hosts of the org; any other host is a network error (TypeError). Stands in for the platform's `fetch`. */
  fetch(input: Request | string | URL, init?: RequestInit): Promise<Response>
  /** A `fetch` with the cookies of one browser: two clients that use it share a browser. */
  browser(): (input: Request | string | URL, init?: RequestInit) => Promise<Response>
  /**
   * Logs an event and sends it to all who listen. Returns it as logged on `channel`.
   * @throws Error when the org has no such channel, or the payload does not fit its family.
   */
  publish(channel: string, payload: unknown, extra?: PublishExtra): PublishedEvent
  /** Publishes something fitting on a channel: for demonstrations. */
  publishSample(channel: string): PublishedEvent
  /** Names of every channel. */
  readonly channels: readonly string[]
  /** Adds a channel. */
  define(channel: string | ChannelDefinition): void
  readonly clock: Clock
  /** Can be changed at any time. */
  readonly switches: Switches
  /** Can be changed at any time. */
  readonly limits: Limits
  readonly faults: Faults
  readonly inspect: Inspect
  /** Where sessions live now: the `instance_url`. */
  readonly url: string
  readonly loginUrl: string
  readonly orgId: string
  readonly credentials: Credentials
  readonly users: readonly User[]
  readonly apps: readonly App[]
  /** Whether this origin is one of the org's. */
  serves(origin: string): boolean
  /** A logged-in session, without a login. */
  session(username?: string): { accessToken: string; instanceUrl: string }
  /** Makes a key pair for JWT bearer, gives the app the public half, and returns the private one as PKCS #8 PEM. */
  jwtKey(clientId?: string): Promise<string>
  /** The user's answer in the device flow. */
  answerDevice(userCode: string, approved: boolean): void
}

/** @throws MockOrgError for an option that it does not know, and for one that cannot be */
export function createMockOrg(options: MockOrgOptions = {}): MockOrg {
  checkOptions(options)
  const clock = options.clock ?? systemClock()
  const now = (): number => clock.now()
  const random = seededRandom(options.seed ?? 1)
  // Sealed: one that is set under a wrong name throws, and changes nothing.
  const switches: Switches = Object.seal({ ...defaultSwitches(), ...defined(options.switches) })
  const limits: Limits = Object.seal({ ...limitsOf(options.edition ?? 'enterprise'), ...defined(options.limits) })
  const memory = { events: 1_000_000, requests: 10_000, deliveries: 1_000_000, ...defined(options.memory) }
  const who = accounts({
    random,
    orgId: options.orgId,
    users: options.users ?? [],
    apps: options.apps ?? [],
    dynamicChannels: options.dynamicChannels ?? true,
  })
  const requests: SeenRequest[] = []
  const deliveries = new Map<string, number>()
  const sessions = sessionTable(now)
  const tokens = tokenStore({ now, random, switches, orgId: who.orgId, sessionTimeoutMs: options.sessionTimeoutMs ?? 7_200_000 })

  const world: World = {
    clock,
    random,
    switches,
    limits,
    hosts: hosts({
      instance: options.instanceUrl ?? 'https://acme.my.salesforce.com',
      login: options.loginUrl ?? 'https://login.salesforce.com',
      sandbox: options.sandboxLoginUrl ?? 'https://test.salesforce.com',
      site: options.siteUrl,
    }),
    accounts: who,
    tokens,
    sessions,
    usage: usage(now, limits),
    affinity: new Map(),
    denied: new Map(),
    codes: { denied: false, pending: new Map() },
    devices: new Map(),
    streamingChannels: new Map(),
    corsOrigins: options.corsOrigins ?? [],
    identityKey: {},
    versions: Array.from({ length: (options.newestVersion ?? 67) - 30 }, (_, index) => `${index + 31}.0`),
    counts: { handshakes: 0, logins: 0 },
    bus: eventBus({
      now,
      random,
      switches,
      userId: who.users[0]!.id,
      channels: options.channels ?? [],
      replayIds: options.replayIds ?? {},
      capacity: memory.events,
      onLogged: (event) => fanOut(world, event),
    }),
    onDelivered(session, event) {
      deliveries.set(event.channel, (deliveries.get(event.channel) ?? 0) + 1)
      keepNewest(session.delivered, event, memory.deliveries)
    },
    revokeToken(value) {
      tokens.revoke(value)
      const end = (): void => {
        for (const session of sessions.all()) {
          if (tokens.onSession(session.token)) continue
          session.held?.finish({ kind: 'failed', error: authenticationInvalid, reconnect: 'none', kicked: false })
        }
      }
      if (switches.revalidateTokenMs > 0) clock.delay(end, switches.revalidateTokenMs)
      else end()
    },
    track: (work) => ('track' in clock ? (clock as VirtualClock).track(work) : work),
  }

  const plan = faultPlan()
  const serving = service(world, plan, (request) => keepNewest(requests, request, memory.requests))
  const control = faults(world, plan, serving.cut, options.migrationUrl ?? 'https://acme2.my.salesforce.com')
  // Browsers keep `Set-Cookie` and `Cookie` to themselves even in a Response made by hand: there the org plays the browser's part.
  const carried =
    new Response(null, { headers: { 'Set-Cookie': 'a=b' } }).headers.get('Set-Cookie') === null ? browserProfile(now) : undefined

  let samples = 0
  const org: MockOrg = {
    fetch: (input, init) => serving.fetch(input, init, carried),
    browser() {
      const profile = browserProfile(now)
      return (input, init) => serving.fetch(input, init, profile)
    },
    publish: (channel, payload, extra) => published(world.bus.publish(channel, payload, extra)[0]!),
    publishSample(channel) {
      const definition = world.bus.definition(channel)
      if (!definition) throw new Error(`The org has no channel ${channel}.`)
      samples += 1
      const { payload, extra } = sampleEvent(definition, samples)
      return org.publish(channel, payload, extra)
    },
    get channels() {
      return world.bus.channels
    },
    define: (channel) => void world.bus.define(channel),
    clock,
    switches,
    limits,
    faults: control,
    inspect: inspect({ world, requests, deliveries }),
    get url() {
      return world.hosts.instance
    },
    get loginUrl() {
      return world.hosts.login
    },
    orgId: who.orgId,
    users: who.users,
    apps: who.apps,
    credentials: {
      clientId: who.apps[0]!.clientId,
      clientSecret: who.apps[0]!.clientSecret,
      username: who.users[0]!.username,
      password: who.users[0]!.password,
      securityToken: who.users[0]!.securityToken,
      get refreshToken() {
        const [app, user] = [who.apps[0]!, who.users[0]!]
        return tokens.issueRefresh({ userId: user.id, clientId: app.clientId, scope: app.scopes.join(' ') }).value
      },
    },
    serves: (origin) => world.hosts.role(origin) !== undefined,
    session(username) {
      const user = username === undefined ? who.users[0] : who.user(username)
      if (!user) throw new Error(`The org has no user ${username}.`)
      return { accessToken: tokens.issue({ userId: user.id }).value, instanceUrl: world.hosts.instance }
    },
    jwtKey: (clientId) => world.track(newKey(who.apps.find((app) => clientId === undefined || app.clientId === clientId))),
    answerDevice(userCode, approved) {
      const device = [...world.devices.values()].find((one) => one.userCode === userCode)
      if (!device) throw new Error(`No device waits with the code ${userCode}.`)
      device.state = approved ? 'approved' : 'denied'
    },
  }
  if (options.scenario !== undefined) control.scenario(options.scenario)
  return org
}

async function newKey(app: App | undefined): Promise<string> {
  if (!app) throw new Error('The org has no such connected app.')
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }
  const pair = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  app.certificate = pair.publicKey
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey))
  const base64 = btoa(String.fromCharCode(...pkcs8)).replace(/.{64}/g, '$&\n')
  const label = 'PRIVATE KEY'
  return `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`
}
