import type { OutgoingMessage } from './bayeux/wire/message.ts'
import { badOption } from './errors.ts'
import type { BayeuxOptions, ClientOptions, CommonOptions, SubscribeOptions } from './options.ts'
import { checkShape, type Shape, shown } from './shape.ts'
import type { Source } from './source/source.ts'

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
    if (typeof each === 'object' && each) checkShape('extension', { incoming: each.incoming, outgoing: each.outgoing }, extension)
    else throw badOption(`extensions holds ${shown(each)}`, 'Pass objects with incoming() or outgoing().')
  }
}

/** As `checkOptions`, of a client that is given its Source. @throws SfStreamError `bad_option` */
export function checkSourceOptions(options: CommonOptions & { source: Source }): void {
  checkClient(options, common, ['source'], 'Pass a source, such as relay(url).')
}

/** `needed`: one of these; `first` says how. */
function checkClient(options: CommonOptions, shape: Shape, needed: readonly string[], first: string): void {
  checkShape('createClient()', options, shape, first)
  if (!needed.some((name) => options[name as keyof CommonOptions]))
    throw badOption(`createClient() has no ${needed.join(' and no ')}`, first)
}

/** A bound that is no number bounds nothing. @throws SfStreamError `bad_option` */
export function checkSubscribeOptions(options: SubscribeOptions): void {
  checkShape('subscribe()', options, subscription)
  if (typeof options.until === 'object') checkShape('until', options.until, bounds)
}

/** @throws SfStreamError `bad_option` */
export function checkMessage(message: OutgoingMessage): void {
  if (typeof message?.channel !== 'string')
    throw badOption('send() needs a message with a channel', "Pass { channel: '/service/name', data }.")
}
