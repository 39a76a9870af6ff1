import { SfStreamError } from '@sfstream/core'
import { describe, expect, it } from 'vitest'
import { json, platformEvent } from '../../../core/test/support/scripted-org.ts'
import { type Hostility, withHostileOrg } from './hostile-rig.ts'

/**
 * What is known and not mended. Each fails as it should not; mended, it says so by passing.
 */

const hourMs = 3_600_000
const other = '/event/Other__e'
const friendlyAtOnce: Hostility = (request, org) => json(org.friendly(request))
/** Good for a session's first two polls, answered at once; then this. */
const afterTwoPolls = (error: string, advice: Record<string, unknown>): Hostility => {
  let polls = 0
  return (request, org) => {
    if (request.what === 'handshake') polls = 0
    if (request.what !== 'connect' || ++polls <= 2) return json(org.friendly(request))
    return json(org.friendly(request).map((reply) => ({ ...reply, successful: false, error, advice })))
  }
}

describe('open: an org is stormed', () => {
  it.fails('when it answers every poll at once and without events', () => withHostileOrg(friendlyAtOnce, { forMs: hourMs }))

  it.fails('by handshakes, when it loses each session after a second poll answered at once', () =>
    withHostileOrg(afterTwoPolls('403::Unknown client', { reconnect: 'handshake', interval: 0 }), { forMs: hourMs }))

  it.fails('by logins, when it refuses each token after a second poll answered at once', () =>
    withHostileOrg(afterTwoPolls('401::Authentication invalid', { reconnect: 'none' }), { forMs: hourMs, seed: 2 }))

  it.fails('by polls, when every second one breaks at once', () => {
    let polls = 0
    return withHostileOrg(
      (request, org) => (request.what === 'connect' && ++polls % 3 === 0 ? new Response('', { status: 500 }) : json(org.friendly(request))),
      { forMs: hourMs },
    )
  })
})

describe('open: a wrong call', () => {
  it.fails.each<[string, unknown, unknown]>([
    ['no handler', undefined, {}],
    ['an orderBy that is no function', () => {}, { orderBy: 'Id' }],
    ['null for options', () => {}, null],
  ])('process() with %s is a bare TypeError', async (_, handler, options) => {
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

describe('open: a text from outside', () => {
  it.fails('a token among the connection types that a server offers stands in the error', async () => {
    await withHostileOrg(
      (request, org) => json(org.friendly(request).map((reply) => ({ ...reply, supportedConnectionTypes: ['Bearer abcdef'] }))),
      { times: 1 },
      async ({ reading }) => {
        expect(String(await reading.ended)).not.toContain('abcdef')
      },
    )
  })

  it.fails('a list of API versions is read whole, however long', async () => {
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
