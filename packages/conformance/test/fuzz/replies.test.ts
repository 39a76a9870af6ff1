import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { platformEvent } from '../../../core/test/support/scripted-org.ts'
import { inOrder, runs } from './fuzz-runs.ts'
import { jsonText, mutated, mutations } from './hostile-json.ts'
import { type Hostility, withHostileOrg } from './hostile-rig.ts'

const statuses = fc.oneof({ arbitrary: fc.constant(200), weight: 6 }, { arbitrary: fc.integer({ min: 200, max: 599 }), weight: 1 })
const body = (status: number, content: BodyInit): Response => new Response([204, 205, 304].includes(status) ? null : content, { status })

describe('whatever an org answers', () => {
  it('random bytes', async () => {
    const replies = fc.array(fc.tuple(statuses, fc.uint8Array({ maxLength: 60 })), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(replies, fc.nat(), (list, seed) =>
        withHostileOrg(
          inOrder(list, ([status, bytes]) => body(status, bytes as Uint8Array<ArrayBuffer>)),
          { times: list.length, seed },
        ),
      ),
      runs(1_000),
    )
  })

  it('random JSON', async () => {
    const replies = fc.array(fc.tuple(statuses, jsonText), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(replies, fc.nat(), (list, seed) =>
        withHostileOrg(
          inOrder(list, ([status, text]) => body(status, text)),
          { times: list.length, seed },
        ),
      ),
      runs(1_500),
    )
  })

  it('good replies with fields changed, and messages of no kind beside them', async () => {
    const reply = fc.record({
      status: statuses,
      changes: mutations,
      beside: fc.array(jsonText, { maxLength: 2 }),
      first: fc.boolean(),
      cut: fc.option(fc.nat(200), { nil: undefined, freq: 8 }),
      good: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(reply, { minLength: 1, maxLength: 8 }), fc.nat(), (list, seed) =>
        withHostileOrg(
          inOrder(list, ({ status, changes, beside, first, cut, good }, request, org) => {
            const own = org.friendly(request).map((message) => mutated(message, good ? [] : changes))
            const text = `[${(first ? [...own, ...beside] : [...beside, ...own]).join(',')}]`
            return body(status, cut === undefined ? text : text.slice(0, cut))
          }),
          { times: list.length, seed },
        ),
      ),
      runs(2_000),
    )
  })

  it('events with fields changed: none is in the way of those that follow', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(mutations, mutations, fc.boolean()), { minLength: 1, maxLength: 5 }), fc.nat(), (list, seed) =>
        withHostileOrg(
          (request, org) => {
            if (request.what !== 'connect') return undefined
            const events = list.map(([outer, inner, whole], at) => {
              const event = platformEvent(at + 1)
              const data = mutated(event.data as Record<string, unknown>, inner)
              return mutated(event, [...(whole ? outer : []), ['data', data]])
            })
            const own = org.friendly(request).map((message) => JSON.stringify(message))
            return body(200, `[${[...events, ...own].join(',')}]`)
          },
          { times: 4, seed },
          // Changed outside its data it may be a refusal; inside, nothing is of any concern to the session.
          ({ statuses: said }) => {
            if (!list.some(([, , whole]) => whole)) expect(said.filter(({ type }) => type === 'retry')).toEqual([])
          },
        ),
      ),
      runs(1_000),
    )
  })

  it('good replies between connections that break, stall or never answer', async () => {
    const answer = fc.constantFrom<ReturnType<Hostility>>(new TypeError('fetch failed'), 'hold', undefined)
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 8 }), fc.nat(), (list, seed) =>
        withHostileOrg(
          inOrder(list, (each) => each),
          { times: list.length, seed },
        ),
      ),
      runs(1_000),
    )
  })
})
