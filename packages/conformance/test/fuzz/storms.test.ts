import type { BayeuxMessage } from '@sfstream/core'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { json } from '../../../core/test/support/scripted-org.ts'
import { runs } from './fuzz-runs.ts'
import { type Hostility, withHostileOrg } from './hostile-rig.ts'

const hourMs = 3_600_000

type Answer = Partial<BayeuxMessage> | number | 'html' | 'nothing' | 'broken' | 'good'

/** The answers again and again, each in its turn, whatever is asked. */
function overAndOver(answers: readonly Answer[]): Hostility {
  let turn = 0
  return (request, org) => {
    const answer = answers[turn++ % answers.length] as Answer
    if (typeof answer === 'number') return new Response('', { status: answer })
    if (answer === 'html') return new Response('<html>Log in</html>')
    if (answer === 'nothing') return json([])
    if (answer === 'good') return undefined
    if (answer === 'broken') return new TypeError('fetch failed')
    return json(org.friendly(request).map((reply) => ({ ...reply, ...answer })))
  }
}

const refused = (error: string, advice?: Record<string, unknown>): Partial<BayeuxMessage> => ({
  successful: false,
  error,
  ...(advice ? { advice } : {}),
})

const answers: Record<string, Answer> = {
  'a lost session': refused('403::Unknown client', { reconnect: 'handshake', interval: 0 }),
  'a lost session, and an end': refused('402::session_unknown', { reconnect: 'none' }),
  'a refused token': refused('401::Authentication invalid', { reconnect: 'none' }),
  'too many clients': refused('403::Organization concurrent user limit exceeded', { reconnect: 'none' }),
  'used up': refused('403::Organization total events daily limit exceeded'),
  busy: refused('503::Server is too busy', { reconnect: 'retry', interval: 0 }),
  'a missing cookie': refused('400::no BAYEUX_BROWSER cookie present'),
  'no reason': refused(''),
  'advice to shake hands': { advice: { reconnect: 'handshake', interval: 0 } },
  'advice to go': { advice: { reconnect: 'none' } },
  'HTTP 401': 401,
  'HTTP 403': 403,
  'HTTP 404': 404,
  'HTTP 302': 302,
  'HTTP 500': 500,
  'HTTP 503': 503,
  html: 'html',
  nothing: 'nothing',
  broken: 'broken',
}

describe('an org that answers like this for three hours is not stormed', () => {
  it.each(Object.entries(answers))('%s', async (_, answer) => {
    for (const seed of [1, 2]) await withHostileOrg(overAndOver([answer]), { forMs: 3 * hourMs, seed })
  })

  // Good: polls are held, here until the client gives them up.
  it('any of them in any order, with good answers between', async () => {
    const some = fc.array(fc.oneof(fc.constantFrom(...Object.values(answers)), fc.constant<Answer>('good')), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(some, fc.nat(), (list, seed) => withHostileOrg(overAndOver(list), { forMs: 3 * hourMs, seed })),
      runs(20),
    )
  })
})

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

describe('an org that answers polls at once is not stormed [PROTOCOL C9]', () => {
  it('when it answers every poll at once and without events', () => withHostileOrg(friendlyAtOnce, { forMs: hourMs }))

  it('by handshakes, when it loses each session after a second poll answered at once', () =>
    withHostileOrg(afterTwoPolls('403::Unknown client', { reconnect: 'handshake', interval: 0 }), { forMs: hourMs }))

  it('by logins, when it refuses each token after a second poll answered at once', () =>
    withHostileOrg(afterTwoPolls('401::Authentication invalid', { reconnect: 'none' }), { forMs: hourMs, seed: 2 }))

  it('by polls, when every third one breaks at once', () => {
    let polls = 0
    return withHostileOrg(
      (request, org) => (request.what === 'connect' && ++polls % 3 === 0 ? new Response('', { status: 500 }) : json(org.friendly(request))),
      { forMs: hourMs },
    )
  })
})
