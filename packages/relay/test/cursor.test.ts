import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CursorPosition, formatCursor, formatPosition, parseCursor, positionIn } from '../src/cursor.ts'

const channel = fc.oneof(
  fc.constantFrom('/event/Order__e', '/topic/Hot', "/topic/Hot?Account.Name=~a~='b'", '/topic/Hot?x=1&y=%7E', '/u/a b'),
  fc.string({ unit: 'binary', minLength: 1 }).map((text) => `/u/${text}`),
)
const position: fc.Arbitrary<CursorPosition> = fc.oneof(
  fc.nat(),
  fc.constantFrom('all' as const, 'new' as const, 'off' as const),
  fc.bigInt({ min: 10n ** 16n, max: 10n ** 30n }).map((id) => String(id) as `${bigint}`),
  fc.record({ hub: fc.stringMatching(/^[a-z0-9]{1,40}$/), number: fc.nat() }),
)

test('a cursor says what was put into it, whatever its channels and its org are called', () => {
  fc.assert(
    fc.property(fc.dictionary(channel, position, { maxKeys: 5 }), fc.string({ unit: 'binary', minLength: 1 }), (positions, org) => {
      const cursor = { org, positions: new Map(Object.entries(positions)) }
      const text = formatCursor(cursor)
      expect(text).toMatch(/^[\x21-\x7e]+$/)
      expect(parseCursor(text)).toEqual(cursor)
      for (const [name, expected] of cursor.positions) expect(positionIn(text, name)).toBe(formatPosition(expected))
    }),
  )
})

test('whatever a stranger sends as a cursor is a cursor or bad_option', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('1', '~', '=', '@', '.', '%', 'a', '/') })),
      (text) => {
        try {
          const { positions } = parseCursor(text)
          expect(positions).toBeInstanceOf(Map)
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad_option' })
        }
      },
    ),
  )
})

test('a cursor holds whatever is a replay id, and nothing that is none', () => {
  const long = '9'.repeat(100)
  expect(parseCursor(`1~org~a=${long}`).positions.get('a')).toBe(long)
  for (const none of ['007', '-1', '1.5', `${long}9`]) expect(() => parseCursor(`1~org~a=${none}`)).toThrow('is damaged')
})
