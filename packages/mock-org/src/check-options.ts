import * as v from 'valibot'
import {
  anything,
  bool,
  call,
  checkShape,
  each,
  list,
  number,
  type Rule,
  type Shape,
  shaped,
  text,
  url,
  whole,
  word,
} from './check-shape.ts'
import type { Clock } from './clock.ts'
import type { Fault, RequestKind } from './faults/fault.ts'
import { limitsOf } from './limits.ts'
import type { MockOrgOptions } from './mock-org.ts'
import { MockOrgError } from './mock-org-error.ts'
import { defaultSwitches, type Switches } from './switches.ts'

/** Switches that are more than a number from 0, or true or false. */
const particular: Partial<Record<keyof Switches, Rule>> = {
  nodes: whole(1),
  browserIdDomain: word('salesforce.com', 'host'),
  dataOrder: word('before-reply', 'after-reply'),
  dataOn: word('connect', 'any-reply'),
  maxEventsPerReply: number(1),
  replacedConnect: word('successful', 'cut'),
  disconnectedConnect: word('successful', 'none-advice', 'unknown-client'),
  replayTextSpaces: word(1, 2),
  replayZero: word('refuse', 'all'),
  unknownReplayId: word('refuse', 'nearest'),
  nulledFields: word('omitted', 'null'),
  versionErrors: word('bayeux', 'http-400'),
  unknownClientCode: word(402, 403),
  sizeErrors: word('http-413', 'bayeux'),
  authErrorStatus: word(200, 401),
  invalidClientStatus: word(400, 401),
  oauthCors: word('off', 'listed', 'any'),
  deviceErrorStatus: whole(400),
}

const switches: Shape = Object.fromEntries(
  Object.entries(defaultSwitches()).map(([name, value]) => [
    name,
    particular[name as keyof Switches] ?? (typeof value === 'boolean' ? bool : number()),
  ]),
)
const limits: Shape = Object.fromEntries(Object.keys(limitsOf('enterprise')).map((name) => [name, number()]))

const user: Shape = {
  id: text,
  username: text,
  password: text,
  securityToken: text,
  active: bool,
  approved: bool,
  name: text,
  email: text,
}
const app: Shape = {
  clientId: text,
  clientSecret: text,
  certificate: anything,
  redirectUris: list,
  runAs: text,
  requirePkce: bool,
  requireSecret: bool,
  scopes: list,
  adminApproval: bool,
  tokenExchange: call,
}

/** As browsers send them: with a path or a slash at the end they would match nothing. */
const origins: Rule = v.array(
  v.custom<string>(
    (value) => typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value,
    "an origin such as 'https://app.example'",
  ),
  'a list',
)

const options: Shape & Record<keyof MockOrgOptions, Rule> = {
  clock: v.custom<Clock>(
    (value) => ['now', 'delay', 'random'].every((name) => typeof (value as Record<string, unknown> | null)?.[name] === 'function'),
    'a clock: { now, delay, random }',
  ),
  seed: number(Number.NEGATIVE_INFINITY),
  instanceUrl: url,
  loginUrl: url,
  sandboxLoginUrl: url,
  siteUrl: url,
  migrationUrl: url,
  channels: list,
  users: each(user),
  apps: each(app),
  corsOrigins: origins,
  orgId: text,
  edition: word('performance', 'enterprise', 'developer', 'professional'),
  limits: shaped(limits),
  switches: shaped(switches),
  replayIds: shaped({ start: v.union([whole(), v.bigint()], 'a whole number from 0, or a bigint'), maxStep: whole(1) }),
  scenario: text,
  dynamicChannels: bool,
  sessionTimeoutMs: number(),
  newestVersion: whole(31),
  memory: shaped({ events: number(1), requests: number(), deliveries: number() }),
}

/** @throws MockOrgError */
export function checkOptions(given: MockOrgOptions): void {
  checkShape('createMockOrg', given, options)
}

const { instanceUrl: _, loginUrl: __, siteUrl: ___, ...ofServers } = options

/** Those of a server, which has addresses of its own. @throws MockOrgError */
export function checkServerOptions(given: object): void {
  checkShape('startMockOrgServer', given, { host: text, port: whole(), loginPort: whole(), ...ofServers })
}

const requestKinds: readonly RequestKind[] = [
  'handshake',
  'connect',
  'subscribe',
  'unsubscribe',
  'disconnect',
  'cometd',
  'token',
  'soap',
  'oauth',
  'versions',
  'rest',
  'any',
]

const withoutMessages: readonly RequestKind[] = ['token', 'soap', 'oauth', 'versions', 'rest']

/** What each kind of fault needs, and what it may have. */
const faultKinds: Readonly<Record<Fault['kind'], readonly [needs: Shape, may: Shape]>> = {
  http: [{ status: whole(200) }, { headers: anything, body: text, afterMs: number() }],
  messages: [{ messages: v.union([list, call], 'a list, or a function') }, {}],
  fail: [{ error: text }, { failureReason: text, reconnect: word('none', 'handshake', 'retry'), kicked: bool, without: list }],
  refuse: [{ error: text, description: text }, { status: whole(400) }],
  'network-error': [{}, { lost: word('request', 'reply') }],
  cut: [{ afterBytes: whole() }, {}],
  'cut-after-body': [{}, {}],
  delay: [{ ms: number() }, {}],
  drip: [{ bytes: whole(1), everyMs: number() }, {}],
  hold: [{}, {}],
  rewrite: [{ body: call }, {}],
  call: [{ call }, {}],
}

/** A message that fails is one of Bayeux, and refusals have a form for logins and REST: on others they would be used up and do nothing. */
function requestsOf(kind: Fault['kind']): readonly RequestKind[] {
  if (kind === 'refuse') return ['token', 'soap', 'rest']
  return kind === 'fail' ? requestKinds.filter((one) => !withoutMessages.includes(one)) : requestKinds
}

/** @throws MockOrgError: a fault of a kind that nobody knows would befall nobody, and a test of it prove nothing */
export function checkFault(given: unknown): void {
  const { kind } = Object(given) as { kind?: unknown }
  const known = Object.hasOwn(faultKinds, String(kind)) ? faultKinds[kind as Fault['kind']] : undefined
  if (!known) throw new MockOrgError(`There is no fault of kind '${String(kind)}'`, `Use one of ${Object.keys(faultKinds).join(', ')}.`)
  const [needs, may] = known
  const where = `the fault '${String(kind)}'`
  const needed = { on: word(...requestsOf(kind as Fault['kind'])), ...needs }
  for (const name of Object.keys(needed)) {
    if ((given as Record<string, unknown>)[name] === undefined)
      throw new MockOrgError(`${where} lacks '${name}'`, 'It does nothing without.')
  }
  checkShape(where, given, { kind: text, ...needed, ...may, times: number(1), after: number(), channel: text, when: call })
}

const busyOn: Shape = { on: word('handshake', 'connect', 'subscribe'), times: number(1) }

/** @throws MockOrgError */
export function checkBusy(given: unknown): void {
  checkShape('faults.busy', given, busyOn)
}
