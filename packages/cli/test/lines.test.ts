import type { ClientStatus, StreamEvent } from '@sfstream/node'
import { SfStreamError } from '@sfstream/node'
import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import { eventJson, eventLine } from '../src/event-line.ts'
import { statusLine } from '../src/status-line.ts'

const plain = picocolors.createColors(false)
const at = new Date(2026, 0, 2, 3, 4, 5)
const event = (over: Partial<StreamEvent>): StreamEvent => ({
  channel: '/event/Order__e',
  kind: 'platform-event',
  replayId: 17,
  createdDate: '2026-01-02T03:04:05.000Z',
  eventUuid: undefined,
  payload: { Number__c: 1 },
  message: {},
  commit: async () => {},
  ...over,
})
const line = (over: Partial<StreamEvent>, columns = Number.POSITIVE_INFINITY) => eventLine(event(over), at, { colors: plain, columns })

describe('an event as a line', () => {
  it('has time, channel, kind, id and payload', () => {
    expect(line({})).toBe('03:04:05  /event/Order__e  platform-event  #17  {"Number__c":1}')
    expect(line({ replayId: undefined, kind: 'unknown' })).toContain('unknown  -  {')
  })

  it('says what a change event changed, and where', () => {
    const payload = { ChangeEventHeader: { changeType: 'UPDATE', recordIds: ['001A', '001B'] }, Rating: 'Hot' }
    expect(line({ kind: 'change-event', payload })).toContain('change-event UPDATE  #17  001A,001B {"Rating":"Hot"}')
  })

  it('fits the screen', () => {
    const text = line({ payload: { Text__c: 'x'.repeat(500) } }, 80)
    expect(text).toHaveLength(80)
    expect(text.endsWith('…')).toBe(true)
  })

  it('never steers the terminal', () => {
    const steering = '\u001b[2J\u0007\u009b31m\u007f\u202e\u2028'
    const text = line({
      kind: 'change-event',
      payload: { ChangeEventHeader: { changeType: steering, recordIds: [steering] }, a: steering },
    })
    expect(text).not.toMatch(/[\p{Cc}\u2028\u202e]/u)
    expect(line({ payload: steering })).not.toMatch(/[\p{Cc}\u2028\u202e]/u)
  })

  it('as JSON is one line for every reader of lines, whatever it holds, and says the same', () => {
    const payload = { Text__c: 'a\u2028b\u2029c\u0085d\u007fe\u009b31mf\r\ng\ud800h', '\u2028': 'ü😀' }
    const json = eventJson(event({ payload }))
    expect(json).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
    expect(json).toContain('ü😀')
    expect((JSON.parse(json) as { payload: unknown }).payload).toEqual(payload)
  })

  it('as JSON is one line with all there is, large ids as text', () => {
    const json = eventJson(event({ replayId: '9007199254740993', eventUuid: 'u', payload: 'two\nlines' }))
    expect(json).not.toContain('\n')
    expect(JSON.parse(json)).toEqual({
      channel: '/event/Order__e',
      kind: 'platform-event',
      replayId: '9007199254740993',
      createdDate: '2026-01-02T03:04:05.000Z',
      eventUuid: 'u',
      payload: 'two\nlines',
    })
  })
})

describe('a status as a line', () => {
  const error = new SfStreamError({ code: 'network', message: 'No route.', remediation: 'Look at the network.' })
  const cases: [ClientStatus, string, boolean][] = [
    [{ type: 'state', state: 'live' }, 'live', false],
    [{ type: 'state', state: 'failed', error }, 'failed: No route.', false],
    [{ type: 'retry', what: 'connect', attempt: 2, delayMs: 1500, error }, 'connect failed (attempt 2): No route. Next in 1.5 s.', true],
    [{ type: 'rehandshake', reason: '403::Unknown client', delayMs: 0 }, 'session lost -> new handshake (403::Unknown client)', false],
    [
      { type: 'rehandshake', reason: '403::Unknown client', delayMs: 3_000 },
      'session lost -> new handshake in 3.0 s (403::Unknown client)',
      false,
    ],
    [{ type: 'slowed', intervalMs: 2_000 }, 'the org asks for a pause of 2.0 s before each poll', false],
    [{ type: 'slowed', intervalMs: 3_600_000 }, 'the org asks for a pause of 60 min before each poll', true],
    [{ type: 'reauthenticated', instanceUrl: 'https://a.example' }, 'token refused -> logged in again at https://a.example', false],
    [{ type: 'resubscribed', channel: '/u/A', from: 17 }, 'resubscribed /u/A from #17', false],
    [{ type: 'resubscribed', channel: '/u/A', from: 'all' }, 'resubscribed /u/A from the oldest event kept', false],
    [{ type: 'replayGap', channel: '/u/A', reason: 'position-refused', from: 3, to: 'all' }, 'goes on from the oldest event kept', true],
    [{ type: 'paused', channel: '/u/A', buffered: 5, how: 'wire' }, '/u/A paused (wire): 5 events wait', false],
    [{ type: 'lagging', channel: '/u/A', lagMs: 43_200_000, retentionMs: 86_400_000 }, '/u/A is 12 h behind; the org keeps 24 h', true],
    [{ type: 'storeFailed', channel: '/u/A', error }, 'No route. Look at the network.', true],
    [{ type: 'multipleClients', intervalMs: 60_000 }, 'one poll in 60 s', true],
    [{ type: 'limit', error, delayMs: 900_000 }, 'No route. Next try in 15 min.', true],
    [{ type: 'badMessage', reason: 'no channel' }, 'no channel', true],
  ]
  it.each(cases)('%j', (status, text, trouble) => {
    expect(statusLine(status).text).toContain(text)
    expect(statusLine(status).trouble).toBe(trouble)
  })
})
