import type { OutgoingMessage } from './bayeux/wire/message.ts'
import { SfStreamError } from './errors.ts'
import { kindOf } from './kind-of.ts'
import type { BayeuxOptions, ClientOptions, CommonOptions, SubscribeOptions } from './options.ts'
import type { Source } from './source/source.ts'

/**
 * What each option may be, in the words of TypeScript, because messages say them too: kinds, texts, the names of what an object must
 * have; or a shape of its own. `any` is looked at where it is used.
 */
interface Shape {
  readonly [option: string]: string | Shape
}

const bound = 'number >= 0'
const policy: Shape = {
  baseMs: bound,
  factor: bound,
  capMs: bound,
  maxAttempts: bound,
  maxElapsedMs: bound,
  jitter: "'full' | 'none'",
  shouldRetry: 'function',
}
const retry: Shape = { connect: policy, handshake: policy, subscribe: policy, auth: policy, limits: "'wait' | 'fail'" }
const platform: Shape = { fetch: 'function', now: 'function', delay: 'function', random: 'function' }
const extension: Shape = { incoming: 'function', outgoing: 'function' }
const bayeux: Shape = {
  auth: 'object | function',
  apiVersion: 'string',
  endpoint: 'string | { href }',
  transport: '{ exchange }',
  extensions: 'array',
  retry,
  reconnect: 'boolean',
  followAdvice: 'boolean',
}
const signal = '{ addEventListener }'
const common: Shape = {
  source: '{ open }',
  replayStore: 'null | { load, save }',
  commit: "'auto' | 'manual'",
  replayFallback: "'all' | 'new' | 'fail'",
  gap: "'replay' | 'report'",
  consumer: 'string',
  signal,
  platform,
}
const bounds: Shape = { idleMs: bound, maxMs: bound, maxEvents: bound }
const subscription: Shape = {
  replay: 'any',
  schema: '{ ~standard }',
  onInvalid: "'throw' | 'skip' | 'raw'",
  until: "'caught-up' | object",
  maxBuffered: bound,
  maxBufferedBytes: bound,
  signal,
}

/**
 * An option that nobody knows is a slip of the pen (`replaystore`), and losing events without a word is its price.
 * @throws SfStreamError `bad_option`
 */
export function checkOptions(options: ClientOptions): void {
  checkClient(options, { ...bayeux, ...common }, ['auth', 'source'], 'Pass auth: { accessToken, instanceUrl }, or a source.')
  for (const each of (options as Partial<BayeuxOptions>).extensions ?? []) {
    // Others may belong to the extension itself.
    if (typeof each === 'object' && each) check('extension', { incoming: each.incoming, outgoing: each.outgoing }, extension)
    else throw refuse(`extensions holds ${shown(each)}`, 'Pass objects with incoming() or outgoing().')
  }
}

/** As `checkOptions`, of a client that is given its Source. @throws SfStreamError `bad_option` */
export function checkSourceOptions(options: CommonOptions & { source: Source }): void {
  checkClient(options, common, ['source'], 'Pass a source, such as relay(url).')
}

/** `needed`: one of these; `first` says how. */
function checkClient(options: CommonOptions, shape: Shape, needed: readonly string[], first: string): void {
  check('createClient()', options, shape, first)
  if (!needed.some((name) => options[name as keyof CommonOptions])) throw refuse(`createClient() has no ${needed.join(' and no ')}`, first)
}

/** A bound that is no number bounds nothing. @throws SfStreamError `bad_option` */
export function checkSubscribeOptions(options: SubscribeOptions): void {
  check('subscribe()', options, subscription)
  if (typeof options.until === 'object') check('until', options.until, bounds)
}

/** @throws SfStreamError `bad_option` */
export function checkMessage(message: OutgoingMessage): void {
  if (typeof message?.channel !== 'string') throw refuse('send() needs a message with a channel', "Pass { channel: '/service/…', data }.")
}

function check(where: string, given: unknown, shape: Shape, otherwise = 'Pass its options by name.'): void {
  if (kindOf(given) !== 'object') throw refuse(`${where} needs an object, not ${shown(given)}`, otherwise)
  for (const [name, value] of Object.entries(given as object)) {
    if (value === undefined) continue
    const may = Object.hasOwn(shape, name) ? shape[name] : undefined
    if (!may) throw refuse(`${where} has no option '${name}'`, `It knows ${Object.keys(shape).join(', ')}.`)
    const words = typeof may === 'string' ? may : 'object'
    if (!words.split(' | ').some((word) => fits(value, word))) throw refuse(`${where}: ${name} is ${shown(value)}`, `It may be: ${words}.`)
    if (typeof may === 'object') check(where.endsWith(')') ? name : `${where}.${name}`, value, may)
  }
}

function fits(value: unknown, word: string): boolean {
  if (typeof value === 'string' && word === `'${value}'`) return true
  if (word === bound) return typeof value === 'number' && value >= 0
  if (word.startsWith('{'))
    return word
      .slice(2, -2)
      .split(', ')
      .every((name) => Object(value)[name])
  return word === 'any' || word === kindOf(value)
}

/** Numbers and short texts; objects may hold secrets, and some cannot be shown at all. */
function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 30)}'` : typeof value === 'number' ? String(value) : kindOf(value)
}

function refuse(message: string, remediation: string): SfStreamError {
  return new SfStreamError({ code: 'bad_option', message: `${message}.`, remediation })
}
