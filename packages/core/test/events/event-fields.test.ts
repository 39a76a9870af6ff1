import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dateMs, EventFields, identityOf, kindOfChannel, retentionMs } from '../../src/events/event-fields.ts'
import { checkedReplayId } from '../../src/events/replay-id.ts'

const fieldsOf = (data: unknown, channel = '/event/X__e') => new EventFields({ channel, data }, kindOfChannel(channel))

describe('kindOfChannel', () => {
  it.each([
    ['/event/X__e', 'platform-event', 72],
    ['/data/AccountChangeEvent', 'change-event', 72],
    ['/topic/T', 'push-topic', 24],
    ['/u/a/b', 'generic', 24],
    ['/systemTopic/Logging', 'system-topic', 72],
    ['/__proto__', 'unknown', 72],
    ['/eventual/X', 'unknown', 72],
  ] as const)('%s is a %s, kept for %i hours', (channel, kind, hours) => {
    expect(kindOfChannel(channel)).toBe(kind)
    expect(retentionMs(channel)).toBe(hours * 3_600_000)
  })
})

describe('EventFields', () => {
  it.each<[string, unknown, Partial<ReturnType<typeof fieldsOf>>]>([
    [
      'a platform event',
      { payload: { CreatedDate: '2026-01-01T00:00:00Z' }, event: { replayId: 7, EventUuid: 'u-1' } },
      { replayId: 7, eventUuid: 'u-1', createdDate: '2026-01-01T00:00:00Z', payload: { CreatedDate: '2026-01-01T00:00:00Z' } },
    ],
    [
      'a change event',
      { payload: { ChangeEventHeader: { commitTimestamp: 1_700_000_000_000 } }, event: { replayId: 0 } },
      { replayId: 0, createdDate: '1700000000000' },
    ],
    [
      'a PushTopic event',
      { event: { createdDate: '2026-01-02T00:00:00Z', replayId: 9 }, sobject: { Id: 'a' } },
      { replayId: 9, createdDate: '2026-01-02T00:00:00Z', payload: { Id: 'a' } },
    ],
    ['a generic event', { payload: 'hello', event: { replayId: 1 } }, { payload: 'hello', createdDate: undefined }],
    ['text alone', 'hello', { payload: 'hello', replayId: undefined }],
    ['null', null, { payload: null, replayId: undefined }],
    ['null within', { payload: null, event: null }, { payload: null, replayId: undefined }],
  ])('%s', (_, data, expected) => {
    expect(fieldsOf(data)).toMatchObject(expected)
  })

  it.each([
    -1,
    -2,
    1.5,
    2 ** 53,
    Number.NaN,
    '',
    '-2',
    '1.5',
    '0x10',
    ' 1',
    '1\n',
    '٣',
    '00',
    '0123',
    null,
    {},
    [7],
    true,
    '9'.repeat(101),
  ])('%j is no replay id', (replayId) => {
    expect(fieldsOf({ event: { replayId } }).replayId).toBeUndefined()
  })

  it('what is longer than any id or date is none, so that ten thousand of them stay small', () => {
    const long = 'x'.repeat(101)
    const fields = fieldsOf({
      payload: { CreatedDate: long, ChangeEventHeader: { commitTimestamp: long, recordIds: [long] } },
      event: { replayId: 7, EventUuid: long, createdDate: long },
    })
    expect(fields).toMatchObject({ replayId: 7, eventUuid: undefined, createdDate: undefined })
    expect(identityOf(fields)).toBe(7)
  })

  it('any data at all gives fields of a bounded size, and a replay id that may be sent back', () => {
    const part = fc.oneof(fc.anything(), fc.string({ maxLength: 300 }), fc.integer(), fc.double())
    const data = fc.oneof(
      fc.anything(),
      fc.record(
        {
          payload: fc.oneof(
            part,
            fc.record({
              CreatedDate: part,
              ChangeEventHeader: fc.oneof(part, fc.record({ commitTimestamp: part, recordIds: fc.array(part) })),
            }),
          ),
          sobject: part,
          event: fc.oneof(part, fc.record({ replayId: part, EventUuid: part, createdDate: part }, { requiredKeys: [] })),
        },
        { requiredKeys: [] },
      ),
    )
    fc.assert(
      fc.property(data, (given) => {
        const fields = fieldsOf(given)
        const { replayId, createdDate, eventUuid } = fields
        for (const each of [replayId, createdDate, eventUuid, identityOf(fields)]) expect(String(each).length).toBeLessThanOrEqual(220)
        if (replayId !== undefined) expect(String(checkedReplayId(replayId))).toBe(String(replayId))
        const at = dateMs(createdDate)
        expect(at === undefined || !Number.isNaN(at)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('identityOf', () => {
  it.each<[string, unknown, unknown]>([
    ['the uuid', { event: { replayId: 1, EventUuid: 'u' } }, 'u'],
    ['the replay id', { event: { replayId: 1 } }, 1],
    ['the replay id with the first record', { payload: { ChangeEventHeader: { recordIds: ['a', 'b'] } }, event: { replayId: 1 } }, '1 a'],
    ['nothing', { payload: 1 }, undefined],
  ])('is %s', (_, data, expected) => {
    expect(identityOf(fieldsOf(data))).toBe(expected)
  })
})
