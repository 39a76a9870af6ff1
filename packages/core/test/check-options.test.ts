import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createClient, type SubscribeOptions } from '../src/index.ts'

const auth = { accessToken: '00D000000000001!token', instanceUrl: 'https://acme.my.salesforce.com' }
const make = (options: Record<string, unknown>) => () => createClient({ auth, ...options })
const subscribe = (options: unknown) => () => createClient({ auth }).subscribe('/event/X__e', options as SubscribeOptions)
const refused = (message: RegExp): unknown =>
  expect.objectContaining({ name: 'SfStreamError', code: 'bad_option', message: expect.stringMatching(message), retryable: false })

describe('options that nobody knows', () => {
  it.each([
    ['replaystore', { replaystore: null }],
    ['replayStorage', { replayStorage: {} }],
    ['__proto__', JSON.parse('{"__proto__":{"commit":"manual"}}') as object],
    ['toString', { toString: 1 }],
  ])('a slip such as %s is not silent: it is named, with what there is', (name, options) => {
    const given = Object.defineProperties({ auth }, Object.getOwnPropertyDescriptors(options))
    expect(() => createClient(given)).toThrow(refused(new RegExp(`createClient\\(\\) has no option '${name}'`)) as Error)
    expect(() => createClient(given)).toThrow(expect.objectContaining({ remediation: expect.stringContaining('replayStore') }))
  })

  it.each<[string, () => unknown]>([
    ["platform has no option 'fetsh'", make({ platform: { fetsh: fetch } })],
    ["retry has no option 'conect'", make({ retry: { conect: {} } })],
    ["retry.connect has no option 'capMS'", make({ retry: { connect: { capMS: 1 } } })],
    ["subscribe() has no option 'maxbuffered'", subscribe({ maxbuffered: 1 })],
    ["until has no option 'idle'", subscribe({ until: { idle: 1 } })],
  ])('%s', (message, call) => {
    expect(call).toThrow(refused(new RegExp(message.replace(/[()]/g, '\\$&'))) as Error)
  })

  it('undefined is as good as absent, known or not', () => {
    expect(
      make({ replayStore: undefined, commit: undefined, whatever: undefined, source: undefined, retry: { connect: undefined } }),
    ).not.toThrow()
    expect(subscribe({ replay: undefined, until: undefined, schema: undefined })).not.toThrow()
  })
})

describe('values that no option takes', () => {
  const names = ['apiVersion', 'endpoint', 'transport', 'extensions', 'retry', 'reconnect', 'followAdvice', 'source', 'replayStore']
  const more = ['commit', 'replayFallback', 'gap', 'consumer', 'signal', 'platform']

  it.each([...names, ...more])('%s: a symbol, a number, a text, an empty list', (name) => {
    for (const value of [Symbol('x'), -1, 'nonsense', []]) {
      if ((name === 'consumer' && typeof value === 'string') || (name === 'extensions' && Array.isArray(value))) continue
      expect(make({ [name]: value }), String(name)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^bad_(option|api_version)$/) }),
      )
    }
  })

  it.each<[RegExp, () => unknown]>([
    [/commit is 'never'/, make({ commit: 'never' })],
    [/replayStore is object/, make({ replayStore: { load() {} } })],
    [/reconnect is 'false'/, make({ reconnect: 'false' })],
    [/retry.auth: baseMs is -1/, make({ retry: { auth: { baseMs: -1 } } })],
    [/retry.auth: factor is NaN/, make({ retry: { auth: { factor: Number.NaN } } })],
    [/retry: connect is null/, make({ retry: { connect: null } })],
    [/retry: limits is 'never'/, make({ retry: { limits: 'never' } })],
    [/jitter is 'some'/, make({ retry: { handshake: { jitter: 'some' } } })],
    [/extensions holds null/, make({ extensions: [null] })],
    [/extension: outgoing is 'x'/, make({ extensions: [{ outgoing: 'x' }] })],
    [/until is 'later'/, subscribe({ until: 'later' })],
    [/maxMs is 'soon'/, subscribe({ until: { maxMs: 'soon' } })],
    [/schema is object/, subscribe({ schema: {} })],
    [/onInvalid is 'ignore'/, subscribe({ onInvalid: 'ignore' })],
    [/subscribe\(\) needs an object, not null/, subscribe(null)],
    [/createClient\(\) needs an object, not 'x'/, () => createClient('x' as never)],
    [/createClient\(\) needs an object, not null/, () => createClient(null as never)],
    [/createClient\(\) needs an object/, () => createClient(undefined as never)],
  ])('%s', (message, call) => {
    expect(call).toThrow(refused(message) as Error)
  })

  it.each<[string, unknown[]]>([
    ['nothing at all', []],
    ['null', [null]],
    ['no options', [{}]],
    ['neither auth nor source', [{ auth: undefined, source: undefined, replayStore: null }]],
  ])('%s: the error says what to pass first', (_, given) => {
    const call = createClient as (...given: unknown[]) => unknown
    expect(() => call(...given)).toThrow(refused(/^createClient\(\) (needs an object|has no auth and no source)/) as Error)
    expect(() => call(...given)).toThrow(expect.objectContaining({ remediation: 'Pass auth: { accessToken, instanceUrl }, or a source.' }))
  })

  it('a long text is not repeated whole: it may be a secret in the wrong place', () => {
    expect(make({ commit: 's'.repeat(100) })).toThrow(/^createClient\(\): commit is 's{30}'\.$/)
  })

  it('what options take is taken', () => {
    const signal = new AbortController().signal
    expect(
      make({ apiVersion: 'latest', retry: { limits: 'fail', connect: { maxAttempts: Number.POSITIVE_INFINITY } }, signal, gap: 'report' }),
    ).not.toThrow()
    expect(
      make({ endpoint: new URL('https://app.example/cometd'), extensions: [], replayStore: null, commit: 'manual', consumer: '' }),
    ).not.toThrow()
    expect(subscribe({ maxBuffered: 0, until: { maxEvents: 5 }, signal, replay: 'all' })).not.toThrow()
    const schema = Object.assign(() => {}, { '~standard': { version: 1, vendor: 'x', validate: (value: unknown) => ({ value }) } })
    expect(subscribe({ schema, onInvalid: 'raw', until: 'caught-up' })).not.toThrow()
  })

  it('whatever is given is taken, or refused by a typed error', () => {
    const name = fc.oneof(fc.constantFrom('auth', ...names, ...more), fc.string())
    const anything = fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true, withSparseArray: true })
    fc.assert(
      fc.property(fc.oneof(anything, fc.dictionary(name, anything)), (options) => {
        try {
          createClient(options as never)
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(bad_|missing_credential|jwt_)/), remediation: expect.any(String) })
        }
      }),
      { numRuns: Number(process.env.SFSTREAM_FUZZ_RUNS ?? 2_000) },
    )
  })
})
