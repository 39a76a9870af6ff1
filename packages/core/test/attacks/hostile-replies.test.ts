import { describe, expect, it } from 'vitest'
import { type BayeuxMessage, SfStreamError } from '../../src/index.ts'
import { gather, read, withRig } from '../support/rig.ts'
import { json, platformEvent } from '../support/scripted-org.ts'

const channel = '/event/Order__e'

/** Values that no field is meant to hold. */
const odd: unknown[] = [null, true, -1, 1.5, 1e300, '', 'x', [], [null], {}, { toString: 1 }, { constructor: { prototype: 1 } }, [[{}]]]

const event = (replayId: unknown, data: Record<string, unknown> = {}): BayeuxMessage => ({
  channel,
  data: { payload: {}, event: { replayId }, ...data },
})

describe('hostile replies', () => {
  it.each([
    ['a record id that is no text', { payload: { ChangeEventHeader: { recordIds: [{ toString: 1 }] } } }],
    ['a commit time that is no number', { payload: { ChangeEventHeader: { commitTimestamp: { toString: 1 } } } }],
    ['a date that is no text', { payload: { CreatedDate: { toString: 1 } } }],
  ])('an event with %s is delivered', async (_, data) => {
    await withRig({}, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      org.push(event(1, data), platformEvent(2))
      await clock.settle()
      expect(reading.ids).toEqual([1, 2])
    })
  })

  it('replay ids that are no text do not hold up a subscribe whose reply brings events that a poll brings too', async () => {
    const other = '/event/Other__e'
    await withRig(
      {
        script: (request, org) => {
          if (request.what !== 'subscribe' || request.messages[0]?.subscription !== other) return undefined
          org.push({ ...event({ toString: 1 }), channel: other })
          return [{ ...event({ toString: 2 }), channel: other }, ...org.friendly(request)]
        },
      },
      async ({ client, org, clock, statuses }) => {
        read(client.subscribe(channel))
        await clock.runUntil(() => org.held === 1)
        const reading = read(client.subscribe(other))
        await clock.runUntil(() => org.of('subscribe').length === 2 && org.held === 1)
        expect(reading.ids).toEqual([undefined, undefined])
        expect(statuses.filter(({ type }) => type === 'retry')).toEqual([])
      },
    )
  })

  it.each([-1, -2, 1.5, 1e300, '-2'])('a replay id of %s is never sent back as a position', async (replayId) => {
    await withRig({}, async ({ client, org, clock }) => {
      read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      org.push(platformEvent(7), event(replayId))
      await clock.runUntil(() => org.held === 1)
      org.push({ channel: '/meta/disconnect' })
      await clock.runUntil(() => org.of('handshake').length === 2 && org.held === 1)
      expect(org.of('subscribe').at(-1)?.messages[0]?.ext).toEqual({ replay: { [channel]: 7 } })
    })
  })

  it('a payload with a long fraction under the name replayId does not make its reply unreadable', async () => {
    let body: string | undefined
    const script = ({ what, messages }: { what: string; messages: BayeuxMessage[] }): Response | undefined => {
      if (what !== 'connect' || messages[0]?.advice || !body) return undefined
      const text = body.replace('ID', String(messages[0]?.id))
      body = undefined
      return new Response(text)
    }
    await withRig({ script }, async ({ client, org, clock }) => {
      const reading = read(client.subscribe(channel))
      await clock.runUntil(() => org.held === 1)
      body = `[{"channel":"${channel}","data":{"payload":{"replayId":1234567890123456.75},"event":{"replayId":9}}},{"channel":"/meta/connect","id":"ID","successful":true}]`
      org.push(platformEvent(1))
      await clock.settle()
      expect(reading.ids).toEqual([1, 9])
    })
  })

  it.each(['handshake', 'connect', 'subscribe'])(
    'odd values in every field of a %s reply end in recovery or a typed error',
    async (what) => {
      for (const field of [
        'channel',
        'id',
        'clientId',
        'successful',
        'error',
        'subscription',
        'advice',
        'ext',
        'supportedConnectionTypes',
        'data',
      ]) {
        for (const value of odd) {
          let left = 1
          await withRig(
            {
              script: (request, org) => {
                if (request.what !== what || left-- <= 0) return undefined
                const [reply] = org.friendly(request)
                return json([{ ...reply, [field]: value }])
              },
            },
            async ({ client, org, clock, statuses }) => {
              const reading = read(client.subscribe(channel))
              await clock.advance(15 * 60_000)
              if (!reading.over) {
                await clock.runUntil(() => org.held === 1, 10 * 60_000)
                org.push(event(1))
                await clock.settle()
                expect(reading.ids, `${field} ${JSON.stringify(value)}`).toEqual([1])
              } else expect(await reading.ended, `${field} ${JSON.stringify(value)}`).toBeInstanceOf(SfStreamError)
              for (const status of statuses) if ('error' in status && status.error) expect(status.error).toBeInstanceOf(SfStreamError)
            },
          )
        }
      }
    },
  )

  it.each(['interval', 'timeout', 'maxInterval', 'reconnect', 'long-polling', 'multiple-clients', 'hosts'])(
    'odd values in advice.%s do not silence the client',
    async (field) => {
      for (const value of odd.filter((each) => !(field === 'interval' && typeof each === 'number' && each > 1e9))) {
        let left = 1
        await withRig(
          {
            script: (request, org) => {
              if (request.what !== 'connect' || left-- <= 0) return undefined
              return json([{ ...org.friendly(request)[0], advice: { [field]: value } }])
            },
          },
          async ({ client, org, clock }) => {
            const reading = read(client.subscribe(channel))
            await clock.advance(15 * 60_000)
            if (!reading.over) {
              await clock.runUntil(() => org.held === 1, 10 * 60_000)
              org.push(event(1))
              await clock.settle()
              expect(reading.ids, JSON.stringify(value)).toEqual([1])
            } else expect(await reading.ended, JSON.stringify(value)).toBeInstanceOf(SfStreamError)
          },
        )
      }
    },
  )

  it('a server that sets ever new cookies does not fill the jar', async () => {
    let sent = 0
    let round = 0
    await withRig(
      {
        script: ({ headers, what }, org) => {
          sent = Math.max(sent, (headers.get('cookie') ?? '').split(';').length)
          if (what !== 'connect' || org.of('connect').length > 500) return undefined
          // With an event each: polls that bring nothing would be slowed.
          const reply = json([...org.friendly(org.requests.at(-1) as never), platformEvent(round + 1)])
          for (let at = 0; at < 5; at++) reply.headers.append('set-cookie', `c${round++}=1; Path=/`)
          return reply
        },
      },
      async ({ client, org, clock }) => {
        const ended = gather(client.subscribe(channel), [])
        await clock.runUntil(() => org.held === 1)
        await Promise.all([client.stop(), ended, clock.advance(3_000)])
        expect(round).toBeGreaterThan(1_000)
        expect(sent).toBeLessThanOrEqual(100)
      },
    )
  })
})
