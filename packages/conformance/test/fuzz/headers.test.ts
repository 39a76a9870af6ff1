import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { json } from '../../../core/test/support/scripted-org.ts'
import { inOrder, runs } from './fuzz-runs.ts'
import { channel, type Hostility, wire, withHostileOrg } from './hostile-rig.ts'

const hourMs = 3_600_000

/** `Retry-After`, as nobody should write it. */
const retryAfter = fc.oneof(
  fc.constantFrom('', '0', '-1', '-99999999', '1e9', '0x10', 'NaN', 'Infinity', 'soon', '9'.repeat(400), '3601', '86400', ' 5 ', '5, 9'),
  fc.constantFrom('Thu, 01 Jan 1970 00:00:00 GMT', 'Fri, 31 Dec 9999 23:59:59 GMT', 'Mon, 99 Foo 2026', '2026-01-05', '+275760-09-13'),
  fc.nat().map(String),
  headerText(),
)

/** What a header may hold on the wire: no line ends, no NUL, one byte a character. */
function headerText(maxLength = 40): fc.Arbitrary<string> {
  return fc.string({
    maxLength,
    unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code === 10 || code === 13 ? 32 : code)),
  })
}

describe('whatever the headers say', () => {
  it('Retry-After delays by an hour at most, and what is waited for is reported', async () => {
    const reply = fc.tuple(fc.constantFrom(408, 429, 500, 503), retryAfter)
    await fc.assert(
      fc.asyncProperty(fc.array(reply, { minLength: 1, maxLength: 4 }), fc.nat(), (list, seed) =>
        withHostileOrg(
          inOrder(list, ([status, value]) => new Response('', { status, headers: { 'retry-after': value } })),
          { times: list.length, seed },
          ({ statuses }) => {
            const delays = statuses.flatMap((status) => (status.type === 'retry' ? [status.delayMs] : []))
            expect(delays.length).toBeGreaterThan(0)
            for (const delay of delays) expect(delay).toBeLessThanOrEqual(hourMs)
          },
        ),
      ),
      runs(500),
    )
  })

  it('advice of any number slows by an hour at most, is reported, and never turns a deadline off', async () => {
    const number = fc.oneof(
      fc.constantFrom(-1, 0, 1, 1e5, 1e12, Number.MAX_VALUE, -Number.MAX_VALUE),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    )
    const advice = fc.record({ interval: number, timeout: number, maxInterval: number }, { requiredKeys: [] })
    await fc.assert(
      fc.asyncProperty(advice, fc.nat(), async (given, seed) => {
        let polls = 0
        let stalledAt: number | undefined
        const hostility: Hostility = (request, org) => {
          if (request.what !== 'connect') return undefined
          if (polls++ === 0) return json(org.friendly(request).map((reply) => ({ ...reply, advice: given })))
          stalledAt ??= request.atMs
          return 'hold'
        }
        await withHostileOrg(hostility, { times: 4, seed }, ({ org, statuses }) => {
          if (given.interval !== undefined && given.interval > 0) {
            expect(statuses).toContainEqual({ type: 'slowed', intervalMs: Math.min(given.interval, hourMs) })
          }
          // The poll that nobody answers is given up within ten minutes, and its successor leaves within the pause.
          const next = org.requests.find(({ atMs }) => stalledAt !== undefined && atMs > stalledAt)
          if (stalledAt !== undefined) expect((next?.atMs ?? Number.NaN) - stalledAt).toBeLessThanOrEqual(10 * 60_000 + 30_000 + hourMs)
        })
      }),
      runs(300),
    )
  })

  it('any Set-Cookie line is kept or ignored', async () => {
    const attribute = fc.constantFrom(
      'Path=/',
      'Path=x',
      'Domain=',
      'Domain=.',
      'Domain=com',
      'Max-Age=9e9',
      'Max-Age=-1',
      'Expires=never',
      'Secure',
      '=',
      '',
    )
    const line = fc.oneof(
      headerText(),
      fc.tuple(headerText(), headerText(), fc.array(attribute)).map(([name, value, rest]) => `${name}=${value};${rest.join(';')}`),
      fc.constantFrom(
        'a'.repeat(100_000),
        `a=${'b'.repeat(100_000)}`,
        `a=b; Path=/${'c'.repeat(100_000)}`,
        '__proto__=1; Path=/',
        ';;;',
        '=',
      ),
    )
    const reply = fc.tuple(fc.array(line, { maxLength: 10 }), retryAfter)
    await fc.assert(
      fc.asyncProperty(fc.array(reply, { minLength: 1, maxLength: 6 }), fc.nat(), (list, seed) =>
        withHostileOrg(
          inOrder(list, ([lines, date], request, org) => {
            const reply = json(org.friendly(request))
            // Cookies end by the server's clock.
            reply.headers.set('date', date)
            for (const each of lines) reply.headers.append('set-cookie', each)
            return reply
          }),
          { times: list.length, seed },
          ({ org }) => {
            for (const { headers } of org.requests) {
              const cookie = headers.get('cookie') ?? ''
              for (const pair of cookie.split('; ')) expect(pair.length).toBeLessThanOrEqual(5_120)
              // What no server or proxy would take.
              expect(cookie).not.toMatch(/[\p{Cc}\r\n]/u)
            }
          },
        ),
      ),
      runs(300),
    )
  })

  // Over HTTP the headers of a reply are bounded before any cookie is looked at.
  it.skipIf(wire.transport)('10,000 cookies, and cookies of 4 KB each: the jar keeps a hundred', async () => {
    let round = 0
    await withHostileOrg(
      (request, org) => {
        const reply = json(org.friendly(request))
        for (let at = 0; at < 2_000; at++) reply.headers.append('set-cookie', `c${round++}=${'x'.repeat(4_000)}; Path=/`)
        return reply
      },
      { times: 5 },
      ({ org }) => {
        expect(round).toBe(10_000)
        const cookies = (org.requests.at(-1)?.headers.get('cookie') ?? '').split('; ')
        expect(cookies).toHaveLength(100)
        // The newest.
        expect(cookies.at(-1)).toMatch(/^c9999=/)
        expect(org.of('subscribe').at(-1)?.messages[0]?.subscription).toBe(channel)
      },
    )
  })
})
