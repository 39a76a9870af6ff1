import type { BayeuxMessage } from '@sfstream/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { platformEvent } from '../../../core/test/support/scripted-org.ts'
import { runs } from './fuzz-runs.ts'
import { traps } from './hostile-json.ts'
import { expectTyped, type Hostility, withHostileOrg } from './hostile-rig.ts'

const other = '/event/Other__e'

/** Every field that a client may read, of whatever message. */
const paths = [
  ...['channel', 'id', 'clientId', 'successful', 'error', 'subscription', 'advice', 'ext', 'data', 'supportedConnectionTypes', 'timestamp'],
  ...['reconnect', 'interval', 'timeout', 'maxInterval', 'multiple-clients', 'hosts', 'long-polling'].map((name) => `advice.${name}`),
  ...['reconnect', 'interval', 'timeout'].map((name) => `advice.long-polling.${name}`),
  ...['sfdc', 'sfdc.failureReason', 'replay', 'replay.x', 'authentication'].map((name) => `ext.${name}`),
  ...['event', 'event.replayId', 'event.EventUuid', 'event.createdDate', 'event.type', 'schema', 'payload', 'sobject'].map(
    (name) => `data.${name}`,
  ),
  ...['CreatedDate', 'ChangeEventHeader', 'ChangeEventHeader.recordIds', 'ChangeEventHeader.commitTimestamp'].map(
    (name) => `data.payload.${name}`,
  ),
]

interface Change {
  what: string
  path: string
  trap: string
  /** Told as a failure, which reads more of it. */
  fails: boolean
}

const change: fc.Arbitrary<Change> = fc.record({
  what: fc.constantFrom('handshake', 'connect', 'subscribe', 'unsubscribe', '/service/x', 'event'),
  path: fc.constantFrom(...paths),
  trap: traps,
  fails: fc.boolean(),
})

/** The message as text, with what `changes` put in the place of its fields. */
function trapped(message: BayeuxMessage, changes: readonly Change[]): string {
  const marks = new Map<string, string>()
  const copy: Record<string, unknown> = structuredClone(message)
  for (const { path, trap, fails } of changes) {
    if (fails) Object.assign(copy, { successful: false, ...(copy.error === undefined && { error: '403::denied' }) })
    const mark = `<${marks.size}>`
    marks.set(JSON.stringify(mark), trap)
    const keys = path.split('.')
    const last = keys.pop() as string
    let at = copy
    for (const key of keys) {
      if (typeof at[key] !== 'object' || at[key] === null) at[key] = {}
      at = at[key] as Record<string, unknown>
    }
    at[last] = mark
  }
  return JSON.stringify(copy).replace(/"<\d+>"/g, (mark) => marks.get(mark) ?? mark)
}

describe('objects that are not what they seem, in every field that is read', () => {
  it('end in recovery or a typed error, for whoever waits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(), async (changes, seed) => {
        const of = (what: string): Change[] => changes.filter((each) => each.what === what)
        let id = 0
        const hostility: Hostility = (request, org) => {
          const replies = org.friendly(request).map((reply) => trapped(reply, of(request.what)))
          const events = request.what === 'connect' || request.what === 'subscribe' ? [trapped(platformEvent(++id), of('event'))] : []
          return new Response(`[${[...events, ...replies].join(',')}]`)
        }
        const caught: unknown[] = []
        const settled: Promise<unknown>[] = []
        const note = (error: unknown): void => void caught.push(error)
        await withHostileOrg(
          hostility,
          {
            seed,
            times: 30,
            begun(clock, client) {
              const again = (left: number): void => {
                const subscription = client.subscribe(other)
                settled.push(subscription.ready.catch(note))
                settled.push(client.send({ channel: '/service/x', data: 1 }).catch(note))
                clock.delay(() => void subscription.close(), 700)
                if (left > 0) clock.delay(() => again(left - 1), 2_000)
              }
              again(5)
            },
          },
          async ({ client, clock, statuses }) => {
            // All of it has been asked for by then.
            await clock.advance(15_000)
            void client.stop()
            await clock.advance(5_000)
            await Promise.all(settled)
            for (const status of statuses) if ('error' in status && status.error) caught.push(status.error)
            for (const error of caught) {
              expectTyped(error)
              // What our own code threw when it took such a value for another.
              expect((error as Error).message).not.toMatch(/The transport failed|Cannot convert|not a function|not iterable|of undefined/)
            }
          },
        )
      }),
      runs(1_500),
    )
  })
})
