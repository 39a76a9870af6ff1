import { createClient, SfStreamError } from '@sfstream/core'
import { describe, expect, it } from 'vitest'
import { json, platformEvent } from '../../../core/test/support/scripted-org.ts'
import { type Hostility, withHostileOrg } from './hostile-rig.ts'

/** What a fuzzer found beside storms and replies. */

const other = '/event/Other__e'
const friendlyAtOnce: Hostility = (request, org) => json(org.friendly(request))
describe('a wrong call', () => {
  it.each<[string, unknown]>([
    ['has no text', { toString: [] }],
    ['has no prototype', Object.create(null)],
    ['is a symbol', Symbol('x')],
  ])('with a value that %s is told by a typed error', async (_, value) => {
    const auth = { accessToken: 'x', instanceUrl: 'https://acme.my.salesforce.com' }
    const client = createClient({ auth })
    const calls: (() => unknown)[] = [
      () => client.subscribe(value as string),
      () => client.subscribe(other, { replay: value as number }),
      () => createClient({ auth: { ...auth, instanceUrl: value as string } }),
      () => createClient({ auth, endpoint: value as string }),
    ]
    for (const call of calls) expect(call).toThrow(SfStreamError)
    await client.stop()
  })

  it.each<[string, unknown, unknown]>([
    ['no handler', undefined, {}],
    ['an orderBy that is no function', () => {}, { orderBy: 'Id' }],
  ])('process() with %s is told, and is no bare TypeError', async (_, handler, options) => {
    let error: unknown
    await withHostileOrg(friendlyAtOnce, { times: 1 }, async ({ client, clock, org }) => {
      const subscription = client.subscribe(other)
      const processed = (async () => subscription.process(handler as () => void, options as object))().catch((reason: unknown) => {
        error = reason
      })
      await clock.advance(1_000)
      org.push(platformEvent(1, other))
      await clock.advance(1_000)
      await Promise.all([subscription.close(), clock.advance(1_000)])
      await processed
    })
    expect(error).toBeInstanceOf(SfStreamError)
  })
})

describe('a text from outside', () => {
  it('a token among the connection types that a server offers does not stand in the error', async () => {
    await withHostileOrg(
      (request, org) => json(org.friendly(request).map((reply) => ({ ...reply, supportedConnectionTypes: ['Bearer abcdef'] }))),
      { times: 1 },
      async ({ reading }) => {
        expect(String(await reading.ended)).not.toContain('abcdef')
      },
    )
  })

  it('connection types that cannot be made text are no common transport all the same', async () => {
    const types = [{ toString: 1 }, [[]]] as unknown as string[]
    await withHostileOrg(
      (request, org) => json(org.friendly(request).map((reply) => ({ ...reply, supportedConnectionTypes: types }))),
      { times: 1 },
      async ({ reading }) => {
        expect(await reading.ended).toMatchObject({ name: 'HandshakeError', code: 'no_common_transport' })
      },
    )
  })

  it('a list of API versions is not read for ever', async () => {
    let bytes = 0
    const piece = new Uint8Array(1024 * 1024).fill(32)
    const versions = new ReadableStream<Uint8Array>({
      pull(controller) {
        bytes += piece.byteLength
        if (bytes < 100 * piece.byteLength) controller.enqueue(piece)
        else controller.close()
      },
    })
    await withHostileOrg(({ what }) => (what === 'versions' ? new Response(versions) : undefined), { times: 1, apiVersion: 'latest' })
    expect(bytes).toBeLessThan(10 * piece.byteLength)
  })
})
