import type { BayeuxMessage } from '@sfstream/core'
import { altered, alteredReplies, isReply, refusal } from './altered.ts'
import { amidPolls, befall, beforeConnects, type Scenario, type Stage, thenMeet } from './scenario.ts'

const always = Number.POSITIVE_INFINITY
type Advice = NonNullable<BayeuxMessage['advice']>

/** Replies to connects bring this advice. */
const advised = (advice: Advice) => alteredReplies((reply) => ({ ...reply, advice: { ...reply.advice, ...advice } }))
/** A connect fails with this text and advice. */
const failing = (error: string | undefined, advice: Advice) =>
  refusal(({ clientId }) => ({ clientId, ...(error === undefined ? {} : { error }), advice }))
/** From the second connect on, all of them. */
const forGood = (stage: Stage, fault: ReturnType<typeof advised | typeof failing>): void =>
  beforeConnects(stage, () => void stage.faults.next({ ...fault, on: 'connect', times: always }), [0])

/** Cases (C) of advice. */
export const interopAdvice = {
  C19: {
    title: 'Advice asks for 400 ms between two connects',
    arm: (stage) => befall(stage, advised({ reconnect: 'retry', interval: 400 })),
  },
  C25: {
    title: 'The advised timeout changes to 20 s, and the connect after that is never answered',
    arm: (stage) => {
      const { world } = stage
      befall(stage, advised({ timeout: 20_000 }), [1, 20])
      befall(stage, { kind: 'hold' }, [2, 21])
      beforeConnects(stage, () => {
        world.switches.holdMs = 20_000
      }, [0])
    },
  },
  C27: {
    title: 'Every connect fails with advice none and a reason that nobody knows',
    arm: (stage) => forGood(stage, failing('403::Go away', { reconnect: 'none', interval: 0 })),
  },
  C28: {
    title: 'A connect fails with handshake advice and a reason that nobody knows',
    arm: (stage) => befall(stage, failing('409::Something else', { reconnect: 'handshake', interval: 0 })),
  },
  C29: {
    title: 'Every connect succeeds with a negative interval',
    arm: (stage) => forGood(stage, advised({ reconnect: 'retry', interval: -1 })),
  },
  C30: {
    title: 'Advice says that sessions last 10 s unasked; then the client is offline for a minute',
    arm: (stage) => {
      const { world, faults } = stage
      befall(stage, advised({ reconnect: 'retry', interval: 0, maxInterval: 10_000 }), [0, 8, 24])
      amidPolls(stage, () => {
        const back = faults.offline()
        world.clock.delay(back, 60_000)
      })
    },
  },
  C31: {
    title: 'multiple-clients advice for a minute: another tab of the same browser comes and goes',
    arm: (stage) => {
      const { switches, sessions, clock } = stage.world
      amidPolls(stage, () => {
        switches.secondTab = true
        for (const session of sessions.all()) session.held?.finish({ kind: 'timeout' })
        clock.delay(() => {
          switches.secondTab = false
        }, 60_000)
      })
    },
  },
  C32: {
    title: 'Another tab polls, and the server allows one alone: every connect fails with advice none',
    arm: (stage) => forGood(stage, failing(undefined, { reconnect: 'none', interval: 0, 'multiple-clients': true })),
  },
  C33: {
    title: 'Advice for long-polling stands beside advice for all',
    arm: (stage) => befall(stage, advised({ reconnect: 'retry', interval: 0, 'long-polling': { interval: 2_000 } })),
  },
  C34: {
    title: 'Advice names other hosts, when a session is lost',
    arm: (stage) =>
      befall(
        stage,
        refusal(() => {
          stage.faults.loseSessions()
          return { error: '402::session_unknown', advice: { reconnect: 'handshake', hosts: ['https://elsewhere.example/cometd/66.0'] } }
        }),
      ),
  },
  C35: {
    title: 'Advice to reconnect: perhaps, on a connect that succeeds and on one that fails',
    arm: (stage) => {
      befall(stage, advised({ reconnect: 'perhaps' }), [1, 12])
      befall(stage, failing('409::Odd', { reconnect: 'perhaps' }), [3, 14])
    },
  },
  C36: {
    title: 'Advice of 1.5 s between connects comes with events and with the reply to a subscribe',
    arm: (stage) => {
      const advice = { interval: 1_500 }
      befall(
        stage,
        altered((messages) => messages.map((message) => (isReply(message) ? message : { ...message, advice }))),
        [1, 3, 5, 7],
      )
      thenMeet(stage, [{ on: 'subscribe', ...alteredReplies((reply) => ({ ...reply, advice })) }], [10, 20])
    },
  },
} satisfies Record<string, Scenario>
