import type { Rule } from './rule.ts'

const transition = 'packages/core/src/bayeux/machine/transition.ts'
const lane = 'packages/core/src/bayeux/session/control-lane.ts'
const registry = 'packages/core/src/bayeux/session/registry.ts'

/** What keeps channels subscribed, and their requests apart. */
export const subscriptionRules: readonly Rule[] = [
  {
    rule: 'U1',
    what: 'every wanted channel is subscribed after a handshake',
    file: transition,
    find: "        effects.push({ type: 'resubscribe' })\n        return connectFirst()",
    replace: '        return connectFirst()',
    shownBy: { tests: ['packages/core/test/machine/transition.test.ts'], simulation: true },
  },
  {
    rule: 'U2',
    what: 'the key of the replay extension is the channel without its filter',
    file: lane,
    find: '[bareChannel(channel)]: replayValue',
    replace: '[channel]: replayValue',
    shownBy: { tests: ['packages/core/test/python-peers/subscribe.test.ts'] },
  },
  {
    rule: 'U2',
    what: 'long ids leave as the digits they came as',
    file: 'packages/core/src/bayeux/wire/encode.ts',
    find: "if (message.channel !== '/meta/subscribe') return text",
    replace: 'return text',
    shownBy: { tests: ['packages/core/test/wire/encode.test.ts'] },
  },
  {
    rule: 'U2',
    what: "replay: 'off' sends no extension",
    file: lane,
    find: "if (position !== 'off') message.ext",
    replace: 'message.ext',
    shownBy: { tests: ['packages/core/test/python-peers/subscribe.test.ts'] },
  },
  {
    rule: 'U3',
    what: 'a refused subscribe concerns its own channel alone',
    file: lane,
    find: 'if (!tryAgain || delayMs === undefined) return registry.end(entry, error)',
    replace: 'if (!tryAgain || delayMs === undefined) return registry.endAll(error)',
    shownBy: { simulation: true },
  },
  {
    rule: 'U4',
    what: 'an org that is too busy for a subscribe is waited for',
    file: lane,
    find: "judged ?? (kind === 'busy' ||",
    replace: 'judged ?? (',
    shownBy: { tests: ['packages/core/test/python-peers/subscribe.test.ts'] },
  },
  {
    rule: 'U5',
    what: 'what else an org refuses ends the subscription',
    file: lane,
    find: 'if (!tryAgain || delayMs === undefined) return registry.end(entry, error)',
    replace: 'if (delayMs === undefined) return registry.end(entry, error)',
    shownBy: { tests: ['packages/core/test/python-peers/subscribe.test.ts'] },
  },
  {
    rule: 'U6',
    what: 'events on a connect wait for the reply to their subscribe',
    file: registry,
    find: "else if (request === 'connect') entry.early.push(batch)",
    replace: "else if (request === 'connect') entry.batches.push(batch)",
    shownBy: { tests: ['packages/core/test/session/order-on-the-wire.test.ts'] },
  },
  {
    rule: 'U7',
    what: 'a closed channel is unsubscribed at the org',
    file: lane,
    find: 'const stale = registry.stale()',
    replace: 'const stale: string[] = []',
    shownBy: { tests: ['packages/core/test/python-peers/subscribe.test.ts'], simulation: true },
  },
  {
    rule: 'U8',
    what: 'events from before an unsubscribe are let out before the channel is wanted again',
    file: lane,
    find: 'return sent !== undefined && this.#session.loop.empty <= sent',
    replace: 'return sent === -1',
    shownBy: { simulation: true },
  },
  {
    rule: 'U8',
    what: 'nothing is asked for again before a refused connect that waits to be tried again',
    file: 'packages/core/src/bayeux/machine/transition.ts',
    find: "const waits = phase.tag === 'waiting' && phase.next === 'connect'",
    replace: "const waits = phase.tag === 'waiting' && phase.delayMs < 0",
    shownBy: { tests: ['packages/core/test/session/order-on-the-wire.test.ts'] },
  },
  {
    rule: 'U9',
    what: 'events that may have crossed with a connect are left out and asked for again',
    file: registry,
    find: "if (request !== 'connect' && entry.stage === 'accepted' && entry.replays(message)) {",
    replace: "if (request !== 'connect' && entry.stage === 'ended' && entry.replays(message)) {",
    shownBy: { tests: ['packages/core/test/session/order-on-the-wire.test.ts'] },
  },
  {
    rule: 'B2',
    what: 'besides the connect at most one request is under way',
    file: lane,
    find: 'if (!this.#open || this.#working) return',
    replace: 'if (!this.#open) return',
    shownBy: { tests: ['packages/core/test/session/order-on-the-wire.test.ts'] },
  },
]
