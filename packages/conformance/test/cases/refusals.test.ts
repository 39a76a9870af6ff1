import { AuthenticationError, type AuthProvider, LimitError, type OrgSession } from '@sfstream/core'
import { describe, expect, it } from 'vitest'
import { channel, orgBench } from './org-bench.ts'

const minuteMs = 60_000

describe('handshake', () => {
  it('C9 [S] 401 inside 403::Handshake denied: one other token, one other handshake, then an error', async () => {
    const { org, clock, client, read } = orgBench()
    org.faults.next({ on: 'handshake', times: 9, kind: 'call', call: () => org.faults.revokeTokens() })
    const reading = read(client.subscribe(channel))
    await clock.runUntil(() => reading.ended !== undefined)
    expect(reading.ended).toBeInstanceOf(AuthenticationError)
    expect(reading.ended).toMatchObject({ code: 'token_refused', server: { failureReason: '401::Authentication invalid' } })
    await clock.advance(60 * minuteMs)
    expect([org.inspect.logins, org.inspect.handshakes]).toEqual([2, 2])
  })

  it('C9 [S] the other token is taken: nobody hears of an error', async () => {
    const { org, held, client, reports } = orgBench()
    org.faults.next({ on: 'handshake', kind: 'call', call: () => org.faults.revokeTokens() })
    client.subscribe(channel)
    await held()
    expect([org.inspect.logins, org.inspect.handshakes]).toEqual([2, 2])
    expect(reports('reauthenticated').length).toBe(1)
  })

  it('C10 [S] no client slot: a limit, tried again slowly, with the same token', async () => {
    const { org, clock, client, reports, held } = orgBench({}, { limits: { concurrentClients: 0 } })
    client.subscribe(channel)
    await clock.advance(60 * minuteMs)
    const waits = reports('limit').map(({ delayMs }) => delayMs)
    expect(waits.length).toBeGreaterThan(3)
    expect(org.inspect.handshakes).toBeLessThan(12)
    for (const [at, waitMs] of waits.entries()) {
      const full = Math.min(60 * minuteMs, minuteMs * 2 ** at)
      expect(waitMs).toBeGreaterThanOrEqual(full / 2)
      expect(waitMs).toBeLessThanOrEqual(full)
    }
    expect(reports('limit')[0]?.error).toMatchObject({ code: 'client_limit' })
    expect(org.inspect.logins).toBe(1)
    org.limits.concurrentClients = 1
    await held()
  })

  it('C10 [S] no client slot, and retry.limits is fail: the loop rejects', async () => {
    const { clock, client, read, org } = orgBench({ retry: { limits: 'fail' } }, { limits: { concurrentClients: 0 } })
    const reading = read(client.subscribe(channel))
    await clock.runUntil(() => reading.ended !== undefined)
    expect(reading.ended).toBeInstanceOf(LimitError)
    expect([org.inspect.logins, org.inspect.handshakes]).toEqual([1, 1])
  })
})

describe('session loss', () => {
  it('C40 [S] Unknown client right after each good handshake: growing delays, and no cookie from the third on', async () => {
    const cookies: (string | null)[] = []
    const at: number[] = []
    const bench = orgBench({
      retry: { handshake: { jitter: 'none', baseMs: 1_000, factor: 2, capMs: 60_000 } },
      platform: {
        fetch: (input, init) => {
          if (String(init?.body).includes('/meta/handshake')) {
            cookies.push(new Headers(init?.headers).get('cookie'))
            at.push(bench.clock.now())
          }
          return bench.org.fetch(input, init)
        },
      },
    })
    const { org, clock, client, held } = bench
    org.faults.next({ on: 'connect', times: 5, kind: 'call', call: () => org.faults.loseSessions() })
    client.subscribe(channel)
    await clock.runUntil(() => cookies.length === 6)
    await held()
    // The first loss is answered at once.
    expect(at.slice(1).map((time, index) => time - at[index]!)).toEqual([0, 1_000, 2_000, 4_000, 8_000])
    expect(cookies.map((cookie) => cookie !== null)).toEqual([false, true, true, false, false, false])
    expect(org.inspect.logins).toBe(1)
  })
})

describe('token providers', () => {
  const session = (org: { session(): OrgSession }): OrgSession => org.session()

  it('C85 [S] one that rejects for good: its own error, once', async () => {
    let asked = 0
    const refusal = new AuthenticationError({ code: 'login_refused', message: 'No.', remediation: 'None.' })
    const auth: AuthProvider = {
      getSession: () => {
        asked++
        return Promise.reject(refusal)
      },
    }
    const { clock, client, read, org } = orgBench({ auth })
    const reading = read(client.subscribe(channel))
    await clock.runUntil(() => reading.ended !== undefined)
    expect(reading.ended).toBe(refusal)
    await clock.advance(60 * minuteMs)
    expect([asked, org.inspect.handshakes]).toEqual([1, 0])
  })

  it('C85 [S] one that fails for a while: tried again with growing delays, no request meanwhile', async () => {
    let failures = 3
    const sealed = new AuthenticationError({ code: 'login_unavailable', message: 'Sealed.', remediation: 'Wait.', retryable: true })
    const bench = orgBench({
      auth: () => (failures-- > 0 ? Promise.reject(sealed) : Promise.resolve(session(bench.org))),
      retry: { auth: { jitter: 'none', baseMs: 1_000, factor: 2 } },
    })
    bench.client.subscribe(channel)
    await bench.held()
    expect(bench.reports('retry').map(({ what, delayMs }) => [what, delayMs])).toEqual([
      ['auth', 1_000],
      ['auth', 2_000],
      ['auth', 4_000],
    ])
    expect(bench.org.inspect.handshakes).toBe(1)
  })

  it('C85 [S] one that gives the refused token again: an error, and no second handshake with it', async () => {
    let asked = 0
    const bench = orgBench({
      auth() {
        asked++
        return Promise.resolve(fixed)
      },
    })
    const fixed = session(bench.org)
    const reading = bench.read(bench.client.subscribe(channel))
    await bench.held()
    bench.org.faults.revokeTokens()
    await bench.clock.runUntil(() => reading.ended !== undefined)
    expect(reading.ended).toMatchObject({ code: 'token_refused' })
    await bench.clock.advance(60 * minuteMs)
    expect([asked, bench.org.inspect.handshakes]).toEqual([2, 1])
  })

  it('C85 [S] one that never answers: no request, no growth, and stop() is prompt', async () => {
    const { clock, client, read, org } = orgBench({ auth: () => new Promise<never>(() => {}) })
    const reading = read(client.subscribe(channel))
    await clock.advance(60 * minuteMs)
    expect(org.inspect.requests.length).toBe(0)
    expect(clock.pending).toBeLessThanOrEqual(2)
    await client.stop()
    await clock.settle()
    expect(reading.ended).toBe('done')
    expect(clock.pending).toBe(0)
  })

  it('C86 [S] two requests refused at once: one login, one handshake', async () => {
    const { org, client, held, reports, clock, read, publish } = orgBench()
    const first = read(client.subscribe(channel))
    await held()
    // The subscribe and the held connect are both answered with 401.
    org.faults.next({ on: 'subscribe', kind: 'call', call: () => org.faults.revokeTokens() })
    const second = read(client.subscribe('/data/AccountChangeEvent'))
    await clock.runUntil(() => Object.keys(org.inspect.subscriptions).length === 2 && org.inspect.handshakes === 2)
    publish()
    org.publishSample('/data/AccountChangeEvent')
    await clock.runUntil(() => first.events.length === 1 && second.events.length === 1)
    expect([org.inspect.logins, org.inspect.handshakes]).toEqual([2, 2])
    expect(reports('reauthenticated').length).toBe(1)
  })
})
