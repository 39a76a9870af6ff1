import { SfStreamError } from '@sfstream/core'
import { checkedChannel, matchesSubscription, webPlatform } from '@sfstream/core/internal'
import type { CheckedRelayOptions, RelayOptions } from './relay-options.ts'

const known = [
  'connect',
  'channels',
  'authorize',
  'from',
  'fallback',
  'cors',
  'window',
  'maxCatchUps',
  'stallMs',
  'heartbeatMs',
  'maxClients',
  'maxClientsEach',
  'limitBy',
  'maxStreamMs',
  'lingerMs',
  'onError',
  'platform',
]

/** @throws SfStreamError `bad_option`, SubscribeError `bad_channel` */
export function checkRelayOptions(options: RelayOptions): CheckedRelayOptions {
  for (const name of Object.keys(options ?? {})) {
    if (known.includes(name)) continue
    throw new SfStreamError({
      code: 'bad_option',
      message: `createRelay has no option '${name}'.`,
      remediation: `It knows ${known.join(', ')}.`,
    })
  }
  const checked: CheckedRelayOptions = {
    from: 'new',
    fallback: 'all',
    maxCatchUps: 1,
    stallMs: 5_000,
    heartbeatMs: 15_000,
    maxClients: 1_000,
    maxClientsEach: 20,
    maxStreamMs: 3_600_000,
    lingerMs: 300_000,
    ...options,
    window: { maxEvents: 10_000, maxBytes: 16_777_216, ...options?.window },
    platform: webPlatform(options?.platform),
    onError(error) {
      try {
        options.onError?.(error)
      } catch {
        // It is told, not asked.
      }
    },
  }
  for (const name of ['connect', 'authorize'] as const) {
    if (typeof checked[name] !== 'function') throw bad(name, checked[name], 'a function')
  }
  for (const name of ['limitBy', 'onError'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'function') throw bad(name, options[name], 'a function, or nothing')
  }
  if (!Array.isArray(checked.channels) || checked.channels.length === 0) throw bad('channels', checked.channels, 'a list of channel names')
  for (const channel of checked.channels) checkedChannel(channel)
  const channels = [...new Set(checked.channels)]
  for (const channel of channels) {
    const other = channels.find((other) => other !== channel && matchesSubscription(other, channel))
    if (other !== undefined) throw indistinct(channel, other)
  }
  if (!['new', 'all'].includes(checked.from)) throw bad('from', checked.from, "'new' or 'all'")
  if (!['new', 'all'].includes(checked.fallback)) throw bad('fallback', checked.fallback, "'all' or 'new'")
  const { cors } = checked
  if (cors !== undefined && cors.origins !== '*' && !Array.isArray(cors.origins))
    throw bad('cors.origins', cors.origins, "a list of origins, or '*'")
  for (const origin of Array.isArray(cors?.origins) ? cors.origins : []) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      throw bad('cors.origins', origin, 'origins as browsers send them: https://app.example, without a path or a slash at the end')
  }
  if (cors?.origins === '*' && cors.credentials) {
    throw new SfStreamError({
      code: 'bad_option',
      message: "createRelay: cors has origins '*' with credentials: any page on the web could read with the cookies of whoever visits it.",
      remediation: 'Name the origins, or leave credentials out.',
    })
  }
  const numbers = { ...checked, 'window.maxEvents': checked.window.maxEvents, 'window.maxBytes': checked.window.maxBytes }
  for (const name of ['maxCatchUps', 'maxClients', 'maxClientsEach', 'window.maxEvents', 'window.maxBytes'] as const) {
    if (!Number.isInteger(numbers[name]) || numbers[name] < 1) throw bad(name, numbers[name], 'a whole number from 1')
  }
  for (const name of ['stallMs', 'heartbeatMs', 'maxStreamMs', 'lingerMs'] as const) {
    const least = name === 'lingerMs' ? 0 : 1
    if (!Number.isFinite(checked[name]) || checked[name] < least) throw bad(name, checked[name], `milliseconds, ${least} at least`)
  }
  return checked
}

/** An event names its channel without the filter: within one session nothing tells whose it is, and who may see it. */
function indistinct(channel: string, other: string): SfStreamError {
  return new SfStreamError({
    code: 'bad_option',
    message: `createRelay: events of ${channel} cannot be told from those of ${other}.`,
    remediation: 'Make a relay for each: every relay has a session of its own.',
  })
}

function bad(name: string, value: unknown, wanted: string): SfStreamError {
  return new SfStreamError({
    code: 'bad_option',
    message: `createRelay: ${name} is ${typeof value === 'string' ? `'${value}'` : typeof value === 'number' ? value : typeof value}.`,
    remediation: `Pass ${wanted}.`,
  })
}
