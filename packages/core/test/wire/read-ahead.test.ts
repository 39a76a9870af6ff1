import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cleanReplySize, decode } from '../../src/bayeux/wire/decode.ts'
import { readAhead } from '../../src/bayeux/wire/read-ahead.ts'

const reply = { channel: '/meta/connect', id: '4', successful: true }
const event = (replayId: unknown, payload: unknown = { Text__c: 'a' }) => ({
  channel: '/event/Order__e',
  data: { schema: 's', payload, event: { replayId } },
})
/** Values that look like the place between two messages, as texts and deeper down. */
const deceptive = fc.oneof(
  fc.constantFrom<unknown>('},{"', 'a},{"b":1},{"c', '\\},{"', '"},{"', [{ a: 1 }, { b: 2 }], { x: [{}, { y: [{ '},{"': '[' }, {}] }] }),
  fc.jsonValue(),
)
const messages = fc
  .array(deceptive, { maxLength: 6 })
  .map((payloads) => [...payloads.map((payload, at) => event(at === 2 ? 12345678901234567n : at, payload)), reply])
/** Replay ids in digits, as an org writes them. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `raw ${each}` : each)).replace(/"raw (\d+)"/g, '$1')

describe('readAhead', () => {
  it('reads what is whole, and leaves the text of the rest', () => {
    const text = textOf([event(1), event(2), reply])
    const cut = text.indexOf('"successful"')
    const { messages, rest } = readAhead(text.slice(0, cut))
    expect(messages).toEqual([event(1), event(2)])
    expect(decode(rest + text.slice(cut), messages)).toEqual(decode(text))
  })

  it('in any number of steps, anywhere, it reads what the whole text says, in order', () => {
    fc.assert(
      fc.property(messages, fc.array(fc.nat({ max: 400 }), { maxLength: 8 }), (sent, steps) => {
        const text = textOf(sent)
        const ahead: unknown[] = []
        let rest = ''
        let at = 0
        for (const step of steps) {
          const read = readAhead(rest + text.slice(at, at + step))
          ahead.push(...read.messages)
          rest = read.rest
          at += step
        }
        expect(decode(rest + text.slice(at), ahead)).toEqual(decode(text))
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['nothing', ''],
    ['one message that is not over', '[{"channel":"/event/A__e","data":{"payload":{"a":[{"b":1},{"c":2}'],
    ['no array', '{"a":1},{"b":2}'],
    ['a page', '<html><script>f({"a":1},{"b":2})'],
    ['text that is no JSON', '[{oops},{"a":1}'],
    ['a byte order mark', '\ufeff[{"a":1},{"b":2}'],
  ])('%s: the text stays as it is', (_, text) => {
    expect(readAhead(text)).toEqual({ messages: [], rest: text })
  })

  it('keeps the digits of long replay ids', () => {
    expect(readAhead('[{"data":{"event":{"replayId":12345678901234567}}},{"b').messages).toEqual([
      { data: { event: { replayId: '12345678901234567' } } },
    ])
  })
})

describe('cleanReplySize, of a reply that was read ahead', () => {
  it('counts what was read, and what was not', () => {
    const text = textOf([event(1), event(2), event(3), reply])
    for (let cut = 1; cut < text.length; cut++) {
      const { messages, rest } = readAhead(text.slice(0, cut))
      expect(cleanReplySize(200, rest + text.slice(cut), messages)).toBe(3)
    }
  })

  it.each([
    ['the reply was read', [event(1), reply], [event(2)]],
    ['another reply was read', [event(1), { ...reply, channel: '/meta/subscribe' }], [reply]],
    ['what was read is no message', [event(1), 7], [reply]],
    ['advice is in the rest', [event(1)], [{ ...reply, advice: {} }]],
  ])('where %s it wants a closer look', (_, ahead, rest) => {
    expect(cleanReplySize(200, JSON.stringify(rest), ahead)).toBeUndefined()
  })
})
