import { createMockOrg, MockOrgError, virtualClock } from '@sfstream/mock-org'
import { startMockOrgServer } from '@sfstream/mock-org/node'
import { describe, expect, it } from 'vitest'

const refused = (said: RegExp) =>
  expect.objectContaining({ name: 'MockOrgError', code: 'bad_option', message: expect.stringMatching(said) })

describe('an org that is asked for what it does not know says so', () => {
  it.each<[string, object, RegExp]>([
    ['an option', { chanels: [] }, /^createMockOrg has no 'chanels'\. It knows .*channels/],
    ['a name of every object', { constructor: 1 }, /has no 'constructor'/],
    ['a switch', { switches: { holdsMs: 1 } }, /switches.*has no 'holdsMs'.*holdMs/],
    ['a value of a switch', { switches: { dataOrder: 'behind-reply' } }, /dataOrder is 'behind-reply'.*'before-reply' or 'after-reply'/],
    ['a switch of another kind', { switches: { gzip: 'no' } }, /gzip is 'no'.*true or false/],
    ['a switch that is no number', { switches: { holdMs: Number.NaN } }, /holdMs is NaN.*number from 0/],
    ['replies without room for an event', { switches: { maxEventsPerReply: 0 } }, /maxEventsPerReply is 0.*from 1/],
    ['a limit', { limits: { clients: 3 } }, /limits.*has no 'clients'.*concurrentClients/],
    ['a limit that is none', { limits: { concurrentClients: '3' } }, /concurrentClients is '3'/],
    ['an edition', { edition: 'unlimited' }, /edition is 'unlimited'.*'developer'/],
    ['what to remember', { memory: { event: 1 } }, /memory.*has no 'event'/],
    ['replay ids', { replayIds: { from: 1 } }, /replayIds.*has no 'from'.*start/],
    ['a step of replay ids', { replayIds: { maxStep: 0 } }, /maxStep is 0/],
    ['a field of a user', { users: [{ userName: 'ada' }] }, /user.*has no 'userName'.*username/],
    ['a field of an app', { apps: [{ secret: 's' }] }, /app.*has no 'secret'.*clientSecret/],
    ['a clock', { clock: Date }, /clock is .*\{ now, delay, random \}/],
    ['a URL', { instanceUrl: 'acme' }, /instanceUrl is 'acme'.*a URL/],
    [
      'an origin that no browser sends',
      { corsOrigins: ['https://app.example/'] },
      /corsOrigins of .*: 0 is 'https:\/\/app\.example\/'\. It may be an origin such as 'https:\/\/app\.example'/,
    ],
    [
      'a handler that is none',
      { apps: [{ tokenExchange: 'ada' }] },
      /apps\.0 of createMockOrg: tokenExchange is 'ada'\. It may be a function/,
    ],
    ['a scenario', { scenario: 'S99' }, /no scenario S99/],
    ['channels that are one', { channels: '/event/Order__e' }, /channels is '\/event\/Order__e'.*a list/],
  ])('%s', (_, options, said) => {
    expect(() => createMockOrg(options)).toThrow(refused(said))
    expect(() => createMockOrg(options)).toThrow(MockOrgError)
  })

  it.each<[string, object, RegExp]>([
    ['a kind', { on: 'connect', kind: 'crash' }, /no fault of kind 'crash'.*network-error/],
    ['a kind, for there is none', { on: 'connect' }, /no fault of kind 'undefined'/],
    ['a request', { on: 'conect', kind: 'hold' }, /on is 'conect'.*'connect'/],
    ['a request, for there is none', { kind: 'hold' }, /lacks 'on'/],
    ['a message that fails where there are none', { on: 'token', kind: 'fail', error: '401::x' }, /'fail': on is 'token'.*'handshake'/],
    [
      'a refusal where there is no form for it',
      { on: 'connect', kind: 'refuse', error: 'x', description: 'y' },
      /'refuse': on is 'connect'.*'token'/,
    ],
    ['a field', { on: 'connect', kind: 'cut', afterBytes: 1, afterByte: 2 }, /has no 'afterByte'/],
    ['a field of another kind', { on: 'connect', kind: 'hold', ms: 5 }, /'hold' has no 'ms'/],
    ['a field that it needs', { on: 'connect', kind: 'fail' }, /'fail' lacks 'error'/],
    ['drops of nothing, which would never end', { on: 'connect', kind: 'drip', bytes: 0, everyMs: 1 }, /bytes is 0.*from 1/],
    ['a fault that befalls nobody', { on: 'connect', kind: 'hold', times: 0 }, /times is 0/],
    ['what is lost', { on: 'connect', kind: 'network-error', lost: 'both' }, /lost is 'both'.*'request' or 'reply'/],
  ])('fault: %s', (_, fault, said) => {
    const org = createMockOrg({ clock: virtualClock() })
    expect(() => org.faults.next(fault as never)).toThrow(refused(said))
    expect(org.faults.pending).toBe(0)
  })

  it('busy, when it is asked for something that is never busy', () => {
    const org = createMockOrg({ clock: virtualClock() })
    expect(() => org.faults.busy({ on: 'token' as never })).toThrow(refused(/faults\.busy: on is 'token'/))
    expect(() => org.faults.busy({ time: 2 } as never)).toThrow(refused(/faults\.busy has no 'time'/))
    expect(org.faults.pending).toBe(0)
  })

  it('a switch or a limit that is set under a wrong name, while it runs', () => {
    const org = createMockOrg({ clock: virtualClock() })
    expect(() => {
      ;(org.switches as unknown as Record<string, unknown>).dataorder = 'after-reply'
    }).toThrow(TypeError)
    expect(() => {
      ;(org.limits as unknown as Record<string, unknown>).clients = 3
    }).toThrow(TypeError)
    org.switches.dataOrder = 'after-reply'
    org.limits.concurrentClients = 3
    expect(org.inspect.slots.limit).toBe(3)
  })

  it('what is undefined is left out, and undoes no default', () => {
    const org = createMockOrg({ seed: undefined, switches: { holdMs: undefined }, limits: { concurrentClients: undefined } } as never)
    expect([org.switches.holdMs, org.limits.concurrentClients]).toEqual([110_000, 1_000])
  })

  it.each<[string, object, RegExp]>([
    ['an option', { hosts: '::1' }, /^startMockOrgServer has no 'hosts'/],
    ['an address that it would not take', { instanceUrl: 'http://localhost:1' }, /has no 'instanceUrl'/],
    ['a scenario', { scenario: 'S99' }, /no scenario S99/],
    ['the form of a channel', { channels: ['Order__e'] }, /has the form of no channel family/],
  ])('as a server: %s, and no server is left behind', async (_, options, said) => {
    const listening = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length
    await expect.poll(listening).toBe(0)
    await expect(startMockOrgServer(options)).rejects.toThrow(said)
    await expect.poll(listening).toBe(0)
  })
})
