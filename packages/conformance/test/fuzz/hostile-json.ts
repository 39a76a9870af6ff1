import type { BayeuxMessage } from '@sfstream/core'
import fc from 'fast-check'
import { secret } from './hostile-rig.ts'

/**
 * JSON as text, because an object cannot hold what a parser makes of `__proto__` or of the same key twice.
 */

const keys = fc.oneof(
  {
    arbitrary: fc.constantFrom(
      '__proto__',
      'constructor',
      'prototype',
      'toString',
      'valueOf',
      'hasOwnProperty',
      'then',
      'length',
      'toJSON',
      '',
    ),
    weight: 2,
  },
  {
    arbitrary: fc.constantFrom(
      ...['channel', 'id', 'clientId', 'successful', 'error', 'subscription', 'advice', 'ext', 'data', 'supportedConnectionTypes'],
      ...['reconnect', 'interval', 'timeout', 'maxInterval', 'multiple-clients', 'hosts', 'long-polling'],
      ...['sfdc', 'failureReason', 'replay', 'event', 'replayId', 'EventUuid', 'createdDate', 'payload', 'sobject', 'ChangeEventHeader'],
    ),
    weight: 3,
  },
  { arbitrary: fc.string(), weight: 1 },
)

/** Values that fields of the protocol really have, and those just beside them. */
const telling = fc
  .constantFrom(
    ...['/meta/handshake', '/meta/connect', '/meta/subscribe', '/meta/disconnect', '/meta/unsubscribe', '/event/Order__e', '/__proto__'],
    ...['retry', 'handshake', 'none', 'client1', '1', '2', '3', 'long-polling', '-1', '-2', '12345678901234567890'],
    ...[
      '401::Authentication invalid',
      '403::Unknown client',
      '403::Organization concurrent user limit exceeded',
      '503::Server is too busy',
    ],
    ...[
      '400::The replayId {1} you provided was invalid',
      `403::denied Bearer 00D000000000001!${secret}0`,
      `401:00D000000000001!${secret}0:no`,
      '400::no x cookie present',
    ],
  )
  .map((text) => JSON.stringify(text))

const numbers = fc.oneof(
  fc.constantFrom('0', '-0', '-1', '-2', '1.5', '1e300', '1e999', '-1e999', '9007199254740993', '12345678901234567890', '100000000000'),
  fc.integer().map(String),
)

/** Objects that cannot be made text, number or JSON, or that look like something else: as JSON, because `__proto__` is a key there. */
export const traps = fc
  .tuple(
    fc.constantFrom('toString', 'valueOf', 'toJSON', 'length', 'then', 'constructor', 'hasOwnProperty', '__proto__', 'next', 'replace'),
    fc.constantFrom('1', 'null', '-1', '"x"', '{}', '[]', '{"toString":1,"valueOf":1}', '{"prototype":{"toString":1}}', '1e999'),
    fc.constantFrom<(trap: string) => string>(
      (trap) => trap,
      (trap) => `[${trap}]`,
      (trap) => `[[${trap}],${trap}]`,
      (trap) => `{"a":${trap},"toString":1,"valueOf":1}`,
    ),
  )
  .map(([key, value, wrap]) => wrap(`{"${key}":${value}}`))

export const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('null', 'true', 'false', '""', '"x"'),
    telling,
    numbers,
    fc.string().map((text) => JSON.stringify(text)),
    traps,
    tie('array'),
    tie('object'),
  ),
  object: fc
    .array(fc.tuple(keys, tie('value')), { maxLength: 5 })
    .map((entries) => `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`),
  array: fc.array(tie('value'), { maxLength: 4 }).map((values) => `[${values.join(',')}]`),
})).value

export type Mutation = readonly [key: string, value: string | undefined]

/** Fields to set, to add or to leave out. */
export const mutations: fc.Arbitrary<Mutation[]> = fc.array(fc.tuple(keys, fc.option(jsonText, { nil: undefined, freq: 6 })), {
  minLength: 1,
  maxLength: 4,
})

/** A good message as text, with fields changed. */
export function mutated(message: BayeuxMessage, changes: readonly Mutation[]): string {
  const fields = new Map(Object.entries(message).map(([key, value]) => [key, JSON.stringify(value)]))
  for (const [key, value] of changes) {
    if (value === undefined) fields.delete(key)
    else fields.set(key, value)
  }
  return `{${[...fields].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`
}
