import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bareChannel, checkedChannel, matchesSubscription } from '../../src/bayeux/wire/channel.ts'
import { chunked, encode, replayValue } from '../../src/bayeux/wire/encode.ts'
import type { BayeuxMessage } from '../../src/index.ts'

const subscribe = (channel: string, replayId: number | string): BayeuxMessage => ({
  channel: '/meta/subscribe',
  subscription: channel,
  ext: { replay: { [channel]: replayId } },
  id: '7',
  clientId: 'client1',
})

describe('encode', () => {
  it('is JSON, but for long replay ids', () => {
    const messages = [subscribe('/topic/A', -1), subscribe('/topic/B', 42), { channel: '/meta/connect', data: { replay: { x: '1' } } }]
    expect(encode(messages)).toBe(JSON.stringify(messages))
  })

  it('long ids leave as raw digits, in each of several messages and under awkward channel names', () => {
    const names = ['/event/A__e', '/topic/Weird"quote', '/topic/back\\slash', '/topic/T?Name=\'x:"1"\'']
    const text = encode(names.map((name) => subscribe(name, '12345678901234567890')))
    expect(text.match(/:12345678901234567890\}/g)).toHaveLength(names.length)
    expect(JSON.parse(text)).toHaveLength(names.length)
  })
})

describe('chunked', () => {
  const encoded = (chunk: readonly BayeuxMessage[]): number => new TextEncoder().encode(encode(chunk)).length

  it('keeps every message, in order, and each body under 32,768 bytes', () => {
    const channel = fc.string({ minLength: 1, maxLength: 3_000, unit: 'grapheme' }).map((name) => `/event/${name}`)
    fc.assert(
      fc.property(fc.array(channel, { maxLength: 60 }), fc.constantFrom<number | string>(-1, '9007199254740993'), (channels, replayId) => {
        const messages = channels.map((name) => subscribe(name, replayId))
        const chunks = chunked(messages)
        expect(chunks.flat()).toEqual(messages)
        for (const chunk of chunks) {
          expect(chunk.length).toBeGreaterThan(0)
          if (chunk.length > 1) expect(encoded(chunk)).toBeLessThan(32_768)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('fills bodies: a thousand usual channels take few requests', () => {
    const messages = Array.from({ length: 1_000 }, (_, at) => subscribe(`/event/Some_Event_Name_${at}__e`, -1))
    const chunks = chunked(messages)
    expect(chunks.length).toBe(Math.ceil(chunks.length))
    expect(Math.min(...chunks.slice(0, -1).map(encoded))).toBeGreaterThan(32_768 - 300)
    expect(Math.max(...chunks.map(encoded))).toBeLessThan(32_768)
  })

  it('a message that is too large by itself goes alone; nothing makes no body', () => {
    const huge = subscribe(`/event/${'x'.repeat(40_000)}`, -1)
    expect(chunked([subscribe('/a', 1), huge, subscribe('/b', 1)]).map((chunk) => chunk.length)).toEqual([1, 1, 1])
    expect(chunked([])).toEqual([])
  })
})

describe('replayValue', () => {
  it.each([
    ['all', -2],
    ['new', -1],
    [0, 0],
    [42, 42],
    ['12345678901234567890', '12345678901234567890'],
  ] as const)('%s is %s', (position, value) => {
    expect(replayValue(position)).toBe(value)
  })
})

describe('channels', () => {
  it.each([
    '/event/Order__e',
    '/data/ChangeEvents',
    '/topic/T',
    "/topic/T?Name='A b'&X=1",
    '/u/a/b c',
    '/service/x',
    '/topic/*',
    '/u/**',
    '/systemTopic/Logging',
  ])('%s is taken', (channel) => {
    expect(checkedChannel(channel)).toBe(channel)
  })

  it.each<[unknown, RegExp]>([
    [undefined, /is not text/],
    [7, /is not text/],
    ['', /does not start with/],
    ['Order__e', /does not start with/],
    ['event/Order__e', /does not start with/],
    ['/meta/connect', /protocol channel/],
    ['/', /is not a channel name/],
    ['//event/X', /is not a channel name/],
    ['/event//X', /is not a channel name/],
    ['/event/X ', /is not a channel name/],
    ['/event/X\n', /is not a channel name/],
    ['/event/X\u0000', /is not a channel name/],
  ])('%j is refused', (channel, message) => {
    expect(() => checkedChannel(channel)).toThrow(expect.objectContaining({ name: 'SubscribeError', code: 'bad_channel' }))
    expect(() => checkedChannel(channel)).toThrow(message)
  })

  it.each([
    ['Order__e', "Use '/event/Order__e'."],
    ['AccountChangeEvent', "Use '/data/AccountChangeEvent'."],
    ['ChangeEvents', "Use '/data/ChangeEvents'."],
    ['topic/T', "Use '/topic/T'."],
  ])('%s is refused with the name that was meant', (channel, remediation) => {
    expect(() => checkedChannel(channel)).toThrow(expect.objectContaining({ remediation }))
  })

  it('a filter is no part of the bare name', () => {
    expect(bareChannel("/topic/T?Name='x?y'")).toBe('/topic/T')
    expect(bareChannel('/topic/T')).toBe('/topic/T')
  })

  it.each([
    ['/topic/T', '/topic/T', true],
    ['/topic/T', '/topic/U', false],
    ['/topic/T', '/topic/t', false],
    ["/topic/T?Name='x'", '/topic/T', true],
    ["/topic/T?Name='x'", "/topic/T?Name='x'", true],
    ['/topic/T', "/topic/T?Name='x'", true],
    ['/u/*', '/u/a', true],
    ['/u/*', '/u/a/b', false],
    ['/u/*', '/u', false],
    ['/u/**', '/u/a', true],
    ['/u/**', '/u/a/b', true],
    ['/u/**', '/v/a', false],
  ])('a subscription to %s gets %s: %s', (subscription, channel, expected) => {
    expect(matchesSubscription(subscription, channel)).toBe(expected)
  })
})
