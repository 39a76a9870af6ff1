import { describe, expect, it } from 'vitest'
import { tally, tallyLine } from '../src/demo/tally.ts'

const a = '/event/A__e'
const b = '/event/B__e'
const published = [
  { channel: a, replayId: '10' },
  { channel: b, replayId: '10' },
  { channel: a, replayId: '12' },
  { channel: a, replayId: '15' },
]
const all = published.map((event) => ({ ...event, run: 0 }))
const at = (index: number, run: number) => ({ ...published[index]!, run })

describe('the tally of the demo', () => {
  it.each([
    ['everything once', all, [], { delivered: 4, lost: 0, duplicated: 0, redelivered: 0 }],
    ['one missing', all.slice(1), [], { delivered: 3, lost: 1, duplicated: 0, redelivered: 0 }],
    ['nothing', [], [], { delivered: 0, lost: 4, duplicated: 0, redelivered: 0 }],
    ['twice in one process', [...all, at(2, 0)], [], { delivered: 4, lost: 0, duplicated: 1, redelivered: 0 }],
    ['never published', [...all, { channel: a, replayId: '11', run: 0 }], [], { delivered: 4, lost: 0, duplicated: 1, redelivered: 0 }],
    [
      'again after a kill, position behind it',
      [...all, at(3, 1)],
      [new Map([[a, '12']])],
      { delivered: 4, lost: 0, duplicated: 0, redelivered: 1 },
    ],
    [
      'again after a kill, position at it',
      [...all, at(3, 1)],
      [new Map([[a, '15']])],
      { delivered: 4, lost: 0, duplicated: 1, redelivered: 0 },
    ],
    [
      'again after a kill, no position yet',
      [...all, at(1, 1)],
      [new Map([[a, '15']])],
      { delivered: 4, lost: 0, duplicated: 0, redelivered: 1 },
    ],
    [
      'again and again in the next process',
      [...all, at(3, 1), at(3, 1)],
      [new Map()],
      { delivered: 4, lost: 0, duplicated: 1, redelivered: 1 },
    ],
  ])('%s', (_, handled, saved, expected) => {
    expect(tally(published, handled, saved)).toEqual({ published: 4, ...expected })
  })

  it('is one line; redelivered stands there only when there is some', () => {
    expect(tallyLine({ published: 4, delivered: 3, lost: 1, duplicated: 0, redelivered: 0 })).toBe(
      'published 4, delivered 3, lost 1, duplicated 0',
    )
    expect(tallyLine({ published: 4, delivered: 4, lost: 0, duplicated: 0, redelivered: 2 })).toBe(
      'published 4, delivered 4, lost 0, duplicated 0, redelivered 2',
    )
  })
})
