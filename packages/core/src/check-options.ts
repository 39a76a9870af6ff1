import type { OutgoingMessage } from './bayeux/wire/message.ts'
import { SfStreamError } from './errors.ts'
import { kindOf } from './kind-of.ts'
import type { BayeuxOptions, ClientOptions, CommonOptions, SubscribeOptions } from './options.ts'
import type { Source } from './source/source.ts'

/**
 * What each option may be, in words: a type, `bound` for a number of 0 or more, a text in quotes, or with a dot the
 * name of something an object must have; `any` is looked at where it is used. Words, because messages can say them too.
 */
type Shape = Readonly<Record<string, string>>

const policy: Shape = {
  baseMs: 'bound',
  factor: 'bound',
  capMs: 'bound',
  maxAttempts: 'bound',
  maxElapsedMs: 'bound',
  jitter: "'full' 'none'",
  shouldRetry: 'function',
}
const retry: Shape = { connect: 'object', handshake: 'object', subscribe: 'object', auth: 'object', limits: "'wait' 'fail'" }
const platform: Shape = { fetch: 'function', now: 'function', delay: 'function', random: 'function' }
const extension: Shape = { incoming: 'function', outgoing: 'function' }
const bayeux: Shape = {
  auth: 'any',
  apiVersion: 'string',
  endpoint: 'string .href',
  transport: '.exchange',
  extensions: 'array',
  retry: 'object',
  reconnect: 'boolean',
  followAdvice: 'boolean',
}
const common: Shape = {
  source: '.open',
  replayStore: 'null .load .save',
  commit: "'auto' 'manual'",
  replayFallback: "'all' 'new' 'fail'",
  gap: "'replay' 'report'",
  consumer: 'string',
  signal: '.addEventListener',
  platform: 'object',
}
const bounds: Shape = { idleMs: 'bound', maxMs: 'bound', maxEvents: 'bound' }
const subscription: Shape = {
  replay: 'any',
  schema: '.~standard',
  onInvalid: "'throw' 'skip' 'raw'",
  until: "'caught-up' object",
  maxBuffered: 'bound',
  maxBufferedBytes: 'bound',
  signal: '.addEventListener',
}

/**
 * An option that nobody knows is a slip of the pen (`replaystore`), and losing events without a word is its price.
 * @throws SfStreamError `bad_option`
 */
export function checkOptions(options: ClientOptions): void {
  checkClient(options, { ...bayeux, ...common })
  const { retry: policies, extensions } = options as Partial<BayeuxOptions>
  check('retry', policies, retry)
  for (const [name, each] of Object.entries(policies ?? {})) if (name !== 'limits') check(`retry.${name}`, each, policy)
  for (const each of extensions ?? []) {
    // Others may belong to the extension itself.
    if (typeof each === 'object' && each) check('extension', { incoming: each.incoming, outgoing: each.outgoing }, extension)
    else throw refuse(`extensions holds ${shown(each)}`, 'Pass objects with incoming() or outgoing().')
  }
}

/** As `checkOptions`, of a client that is given its Source. @throws SfStreamError `bad_option` */
export function checkSourceOptions(options: CommonOptions & { source: Source }): void {
  checkClient(options, common)
  if (!options.source) throw refuse('createClient(): source is missing', 'Pass one, such as relay(url).')
}

function checkClient(options: CommonOptions, shape: Shape): void {
  check('createClient()', options ?? null, shape)
  check('platform', options.platform, platform)
}

/** A bound that is no number bounds nothing. @throws SfStreamError `bad_option` */
export function checkSubscribeOptions(options: SubscribeOptions): void {
  check('subscribe()', options, subscription)
  if (options.until !== 'caught-up') check('until', options.until, bounds)
}

/** @throws SfStreamError `bad_option` */
export function checkMessage(message: OutgoingMessage): void {
  if (typeof message?.channel !== 'string') throw refuse('send() needs a message with a channel', "Pass { channel: '/service/…', data }.")
}

function check(where: string, given: unknown, shape: Shape): void {
  if (given === undefined) return
  if (typeof given !== 'object' || given === null)
    throw refuse(`${where} needs an object, not ${shown(given)}`, 'Pass its options by name.')
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    const allowed = Object.hasOwn(shape, name) ? (shape[name] as string).split(' ') : []
    if (allowed.length === 0) throw refuse(`${where} has no option '${name}'`, `It knows ${Object.keys(shape).join(', ')}.`)
    const parts = allowed.filter((word) => word.startsWith('.'))
    const fits =
      allowed.includes('any') ||
      allowed.includes(kindOf(value)) ||
      (typeof value === 'string' && allowed.includes(`'${value}'`)) ||
      (typeof value === 'number' && value >= 0 && allowed.includes('bound')) ||
      (parts.length > 0 && parts.every((part) => Object(value)[part.slice(1)]))
    if (fits) continue
    const words = allowed.filter((word) => !word.startsWith('.')).map((word) => (word === 'bound' ? 'a number of 0 or more' : word))
    if (parts.length > 0) words.push(`an object with ${parts.map((part) => part.slice(1)).join(' and ')}`)
    throw refuse(`${where}: ${name} is ${shown(value)}`, `It may be: ${words.join(', ')}.`)
  }
}

/** Numbers and short texts; objects may hold secrets, and some cannot be shown at all. */
function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 30)}'` : typeof value === 'number' ? String(value) : kindOf(value)
}

function refuse(message: string, remediation: string): SfStreamError {
  return new SfStreamError({ code: 'bad_option', message: `${message}.`, remediation })
}
