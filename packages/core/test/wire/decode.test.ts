import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cleanReplySize, decode, decodeBroken } from '../../src/bayeux/wire/decode.ts'
import { encode } from '../../src/bayeux/wire/encode.ts'
import type { BayeuxMessage } from '../../src/index.ts'

const reply = { channel: '/meta/connect', id: '4', successful: true }
const event = (replayId: unknown, payload: unknown = { Text__c: 'a "quoted" [text] with {braces}, \\ and ü' }) => ({
  channel: '/event/Order__e',
  data: { schema: 's', payload, event: { replayId } },
})

describe('decode', () => {
  it('sorts messages into replies, events and neither, each in order', () => {
    const messages = [event(1), reply, { channel: '/meta/disconnect' }, 7, event(2), null, 'text', [reply], { odd: true }]
    const decoded = decode(JSON.stringify(messages))
    expect(decoded.events).toEqual([event(1), event(2)])
    expect(decoded.meta).toEqual([reply, { channel: '/meta/disconnect' }])
    expect(decoded.bad).toEqual([7, null, 'text', [reply], { odd: true }])
    expect(decoded.all).toEqual([event(1), reply, { channel: '/meta/disconnect' }, event(2), { odd: true }])
  })

  it.each<[string, unknown]>([
    ['no channel and no id', { error: '403::Unknown client', successful: false, advice: { reconnect: 'handshake' } }],
    ['only a clientId', { clientId: '4' }],
    ['only successful', { successful: true }],
    ['only an error', { error: '403::Unknown client' }],
    ['a number for an id', { ...reply, id: 4 }],
    ['advice without reconnect', { ...reply, advice: { interval: 0 } }],
    ['null for advice, ext and error', { ...reply, advice: null, ext: null, error: null }],
    ['unknown keys', { ...reply, hello: [1, { constructor: 1, __proto__: 2 }] }],
    ['an error of many colons', { ...reply, successful: false, error: "400::URI format: '/cometd/43.0': see: there" }],
    ['a list of subscriptions', { channel: '/meta/subscribe', subscription: ['/topic/A', '/topic/B'], successful: true }],
    ['the id of a service reply', { channel: '/service/x', id: '7', data: {} }],
  ])('a reply with %s is a reply', (_, message) => {
    expect(decode(JSON.stringify([message]))).toMatchObject({ meta: [message], events: [], bad: [] })
  })

  it.each<[string, unknown]>([
    ['successful that is no boolean', { ...reply, successful: 'yes' }],
    ['an id that is neither text nor number', { ...reply, id: {} }],
    ['a clientId that is a number', { ...reply, clientId: 7 }],
    ['advice that is text', { ...reply, advice: 'retry' }],
    ['an error that is an object', { ...reply, error: {} }],
    ['a REST error', { message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }],
    ['a channel and nothing else', { channel: '/event/Order__e' }],
  ])('%s is neither reply nor event', (_, message) => {
    expect(decode(JSON.stringify([message]))).toMatchObject({ meta: [], events: [], bad: [message] })
  })

  it.each<[string, unknown]>([
    ['an id', { ...event(1), id: 'p1' }],
    ['a clientId', { ...event(1), clientId: 'c' }],
    ['null for data', { channel: '/u/x', data: null }],
    ['an empty string for data', { channel: '/u/x', data: '' }],
    ['a service channel and no id', { channel: '/service/x', data: 1 }],
  ])('a data message with %s is an event', (_, message) => {
    expect(decode(JSON.stringify([message]))).toMatchObject({ meta: [], events: [message] })
  })

  it('an event is kept as parsed, with keys that a copy would lose', () => {
    const text =
      '[{"channel":"/event/X__e","data":{"payload":{"constructor":"c","toString":null,"__proto__":{"a":1}},"event":{"replayId":1}}}]'
    expect(JSON.stringify(decode(text).events)).toBe(text)
  })

  it.each([
    ['a lone object', JSON.stringify(reply), 1],
    ['a byte order mark', `\ufeff${JSON.stringify([reply])}`, 1],
    ['white space around', ` \r\n${JSON.stringify([reply])}\n`, 1],
    ['an empty array', '[]', 0],
  ])('%s is read', (_, text, count) => {
    expect(decode(text).meta).toHaveLength(count)
  })

  it.each([
    ['nothing', '', 'The reply is empty.'],
    ['white space', ' \n', 'The reply is empty.'],
    ['HTML', '<!doctype html><title>Login</title>', 'begins "<!doctype html>'],
    ['truncated JSON', '[{"channel":', 'is not JSON'],
    ['null', 'null', 'is null'],
    ['a number', '7', 'is 7'],
    ['text', '"hello"', 'is "hello"'],
  ])('%s is a bad reply', (_, text, message) => {
    expect(() => decode(text)).toThrow(
      expect.objectContaining({ name: 'ProtocolError', code: 'bad_reply', retryable: true, message: expect.stringContaining(message) }),
    )
  })

  it('of a long page, or a long text, only the beginning is quoted: it may hold secrets', () => {
    expect(() => decode('x'.repeat(10_000))).toThrow(/^.{0,120}$/)
    expect(() => decode(JSON.stringify('x'.repeat(10_000)))).toThrow(/^.{0,120}$/)
  })

  it('a token that a page echoes is left out, wherever it stands, and of causes too', () => {
    for (let before = 0; before < 70; before++) {
      const page = `${'<'.repeat(before)}Bearer 00D000000000001!SECRET.SECRET`
      for (const text of [page, JSON.stringify(page)]) {
        let thrown: unknown
        try {
          decode(text)
        } catch (error) {
          thrown = error
        }
        expect(`${String(thrown)} ${String((thrown as Error).cause)}`).not.toMatch(/SEC/)
      }
    }
  })

  it('any JSON is sorted or a bad reply, never another error', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          const { all, meta, events, bad } = decode(text)
          expect(meta.length + events.length + bad.filter((each) => all.includes(each as BayeuxMessage)).length).toBe(all.length)
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad_reply' })
        }
      }),
    )
  })
})

describe('replay ids', () => {
  const digits = fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String)

  it('come and go without loss, however many digits', () => {
    fc.assert(
      fc.property(digits, fc.constantFrom('', ' ', '\n  '), (id, space) => {
        const text = `[{"channel":"/event/X__e","data":{"event":{"replayId"${space}:${space}${id}}}}]`
        const [received] = decode(text).events
        const { replayId } = (received!.data as { event: { replayId: number | string } }).event
        expect(String(replayId)).toBe(id)
        expect(typeof replayId).toBe(id.length < 16 ? 'number' : 'string')
        const sent = encode([{ channel: '/meta/subscribe', subscription: '/event/X__e', ext: { replay: { '/event/X__e': replayId } } }])
        expect(sent).toContain(`"ext":{"replay":{"/event/X__e":${id}}}`)
      }),
    )
  })

  it('text that merely looks like an id, inside a string, stays as it is', () => {
    const payload = { Note__c: 'see "replayId":12345678901234567890 there' }
    expect(decode(JSON.stringify([event(5, payload)])).events).toEqual([event(5, payload)])
    const withLong = JSON.stringify([event(5, payload), event(0)]).replace('"replayId":0', '"replayId":12345678901234567890')
    expect(decode(withLong).events).toEqual([event(5, payload), event('12345678901234567890')])
  })

  it('a long id is found in a broken reply too', () => {
    const text = `[${JSON.stringify(event(1)).replace('"replayId":1', '"replayId":9007199254740993')},{"chan`
    expect(decodeBroken(text).events).toEqual([event('9007199254740993')])
  })

  it('a fraction or an exponent is left to JSON', () => {
    expect(decode('[{"channel":"/u/x","data":{"event":{"replayId":1234567890123456.5}}}]').events).toEqual([
      { channel: '/u/x', data: { event: { replayId: 1234567890123456.5 } } },
    ])
  })
})

describe('decodeBroken', () => {
  const messages = [event(1), event(2, { deep: [[{ a: ']' }], '}{"'] }), { ...reply, advice: { reconnect: 'retry' } }, event(3)]
  const text = JSON.stringify(messages)

  it('gives exactly the whole messages before every cut', () => {
    const ends = messages.map((_, at) => JSON.stringify(messages.slice(0, at + 1)).length - 1)
    for (let cut = 0; cut <= text.length; cut++) {
      const whole = ends.filter((end) => end <= cut).length
      expect(decodeBroken(text.slice(0, cut)).all, `cut at ${cut}`).toEqual(messages.slice(0, whole))
    }
  })

  it('agrees with decode on what is whole, for any messages', () => {
    const anyMessage = fc.dictionary(fc.string(), fc.jsonValue())
    fc.assert(
      fc.property(fc.array(anyMessage), fc.nat(), fc.boolean(), (list, at, pretty) => {
        const whole = pretty ? JSON.stringify(list, null, 2) : JSON.stringify(list)
        expect(decodeBroken(whole)).toEqual(decode(whole))
        const cut = decodeBroken(whole.slice(0, at % (whole.length + 1)))
        expect(cut.all).toEqual(decode(whole).all.slice(0, cut.all.length))
      }),
    )
  })

  it.each([
    ['no array', JSON.stringify(reply)],
    ['HTML', '<html>[{"a":1}]'],
    ['scalars', '[1,"two",null'],
    ['nothing', ''],
  ])('%s holds no messages', (_, broken) => {
    expect(decodeBroken(broken).all).toEqual([])
  })

  it('what is complete but no JSON is left out', () => {
    expect(decodeBroken(`[{oops},${JSON.stringify(reply)},{"a`).all).toEqual([reply])
  })

  it('a first message over 16 M characters is an error, a later one is dropped', () => {
    const huge = `{"channel":"/u/x","data":"${'x'.repeat(16 * 1024 * 1024)}`
    expect(() => decodeBroken(`[${huge}`)).toThrow(expect.objectContaining({ name: 'ProtocolError', code: 'message_too_large' }))
    expect(decodeBroken(`[${JSON.stringify(reply)},${huge}`).all).toEqual([reply])
  })
})

describe('cleanReplySize', () => {
  const clean = JSON.stringify([event(1), event(2), reply])

  it('counts the events of a plain connect reply', () => {
    expect(cleanReplySize(200, clean)).toBe(2)
    expect(cleanReplySize(200, JSON.stringify([reply, event(1)]))).toBe(1)
    expect(cleanReplySize(200, JSON.stringify([reply]))).toBe(0)
  })

  it('never counts too few: a payload that looks like a message only makes it careful', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 5 }), (payloads) => {
        const text = JSON.stringify([...payloads.map((payload, at) => event(at, payload)), reply])
        const size = cleanReplySize(200, text)
        if (size !== undefined) expect(size).toBeGreaterThanOrEqual(payloads.length)
      }),
    )
  })

  it.each([
    ['another status', 206, clean],
    ['no array', 200, JSON.stringify(reply)],
    ['a cut', 200, clean.slice(0, -1)],
    ['no connect reply', 200, JSON.stringify([event(1)])],
    ['advice', 200, JSON.stringify([{ ...reply, advice: {} }])],
    ['advice behind events', 200, JSON.stringify([event(1), { ...reply, advice: {} }])],
    ['advice before events', 200, JSON.stringify([{ ...reply, advice: {} }, event(1)])],
    ['a reply amid events', 200, JSON.stringify([event(1), { ...reply, advice: {} }, event(2)])],
    ['another reply', 200, JSON.stringify([event(1), reply, { ...reply, channel: '/meta/subscribe', successful: false }])],
    ['a pushed disconnect', 200, JSON.stringify([{ channel: '/meta/disconnect' }, reply])],
    ['a failure', 200, JSON.stringify([{ ...reply, successful: false }])],
    ['a failure with spaces', 200, '[{"channel":"/meta/connect","successful" : false}]'],
  ])('%s wants a closer look', (_, status, text) => {
    expect(cleanReplySize(status, text)).toBeUndefined()
  })
})
