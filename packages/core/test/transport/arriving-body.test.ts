import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArrivingBody } from '../../src/bayeux/transport/arriving-body.ts'
import { decode, decodeBroken } from '../../src/bayeux/wire/decode.ts'
import { readAhead } from '../../src/bayeux/wire/read-ahead.ts'

const event = (replayId: number, text: string) => ({
  channel: '/event/Order__e',
  data: { payload: { Text__c: text, Lines__c: [{ a: 1 }, { b: '},{"' }] }, event: { replayId } },
})
const none = { messages: [], length: 0 }
const reply = { channel: '/meta/connect', id: '4', successful: true }

/** The body in pieces of the given sizes, again and again. */
function arrived(bytes: Uint8Array, sizes: readonly number[], request: ConstructorParameters<typeof ArrivingBody>[0] = { readAhead }) {
  const body = new ArrivingBody(request)
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] as number
    body.add(bytes.subarray(at, at + size))
    at += size
  }
  expect(body.bytes).toBe(bytes.length)
  return body.end()
}

const bodies = fc
  .record({ count: fc.nat({ max: 300 }), text: fc.string({ unit: 'binary', maxLength: 40 }), times: fc.integer({ min: 1, max: 40 }) })
  .map(({ count, text, times }) => JSON.stringify([...Array.from({ length: count }, (_, at) => event(at, text.repeat(times))), reply]))
const sizes = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 4 })

describe('a body that arrives', () => {
  it('holds the messages of the whole text, whatever pieces it comes in', () => {
    fc.assert(
      fc.property(bodies, sizes, (text, pieces) => {
        const bytes = new TextEncoder().encode(text)
        const { text: rest, ahead } = arrived(bytes, pieces)
        expect(decode(rest, ahead?.messages)).toEqual(decode(text))
        expect(rest.length + (ahead?.length ?? 0)).toBe(text.length)
      }),
      { numRuns: 60 },
    )
  })

  it('that breaks off holds what is whole', () => {
    fc.assert(
      fc.property(bodies, sizes, fc.nat(), (text, pieces, cut) => {
        const bytes = new TextEncoder().encode(text)
        const end = cut % (bytes.length + 1)
        const { text: rest, ahead } = arrived(bytes.subarray(0, end), pieces)
        expect(decodeBroken(rest, ahead?.messages)).toEqual(decodeBroken(new TextDecoder().decode(bytes.subarray(0, end))))
      }),
      { numRuns: 60 },
    )
  })

  it('is one text where nobody reads ahead, or where it is short', () => {
    const long = JSON.stringify(Array.from({ length: 2_000 }, (_, at) => event(at, 'ü')))
    const bytes = new TextEncoder().encode(long)
    expect(arrived(bytes, [65_536], {})).toEqual({ text: long, ahead: none })
    const short = bytes.subarray(0, 40_000)
    expect(arrived(short, [1_000])).toEqual({ text: new TextDecoder().decode(short), ahead: none })
  })

  it('is read ahead, all but what came last', () => {
    const text = JSON.stringify(Array.from({ length: 5_000 }, (_, at) => event(at, 'x'.repeat(100))))
    const { text: rest, ahead } = arrived(new TextEncoder().encode(text), [65_536])
    expect(rest.length).toBeLessThan(2 * 65_536)
    expect(ahead?.messages.length).toBeGreaterThan(4_000)
  })

  it('in which nothing is whole is looked at some times only, however long it is', () => {
    let looks = 0
    const counted = (text: string) => {
      looks++
      return readAhead(text)
    }
    const text = `[{"channel":"/event/A__e","data":{"payload":[${'{"a":1},'.repeat(1_000_000)}`
    expect(arrived(new TextEncoder().encode(text), [16_384], { readAhead: counted })).toEqual({ text, ahead: none })
    expect(looks).toBeLessThan(10)
  })

  it('has no byte order mark, and what is no UTF-8 is replaced', () => {
    expect(arrived(new Uint8Array([0xef, 0xbb, 0xbf, 0x5b, 0x5d]), [1])).toEqual({ text: '[]', ahead: none })
    expect(arrived(new Uint8Array([0x5b, 0xff, 0xc3]), [2])).toEqual({ text: '[\ufffd\ufffd', ahead: none })
  })
})
