import { noCookie } from '../../bayeux/texts.ts'
import { refusal } from './altered.ts'
import { amidPolls, befall, beforeConnects, type Scenario, thenMeet } from './scenario.ts'

export const sessionLoss = {
  S13: {
    title: 'A session is forgotten: 403::Unknown client with handshake advice',
    arm: (stage) => beforeConnects(stage, () => stage.faults.loseSessions()),
  },
  S14: {
    title: "The load balancer's cookie runs out, here after 10 minutes: 403 and a new cookie, for another node",
    arm: ({ world }) => {
      world.switches.affinityMs = 600_000
    },
  },
  S15: {
    title: 'The same with many nodes: a client that ignores the new cookie lands on a random one each time',
    arm: ({ world }) => {
      world.switches.affinityMs = 600_000
      world.switches.nodes = 12
    },
  },
  S16: {
    title: '403::Unknown client with reconnect none, preceded by /meta/disconnect',
    arm: (stage) => amidPolls(stage, () => stage.faults.loseSessions({ kicked: true })),
  },
  S17: {
    title: 'A bare 403 without channel and id on subscribe',
    arm: (stage) => {
      const { world, faults } = stage
      world.switches.bareUnknownClient = true
      const lost = { on: 'subscribe', kind: 'call', call: () => faults.loseSessions() } as const
      faults.next(lost)
      thenMeet(stage, [lost])
    },
  },
  S18: {
    title: 'An unsolicited /meta/disconnect alone, as when the org scales',
    arm: (stage) => amidPolls(stage, () => stage.faults.disconnect()),
  },
  S19: {
    title: 'Handshake and subscribe succeed, connect meets 403, three times over',
    arm: (stage) => beforeConnects(stage, () => stage.faults.loseSessions(), [0, 1, 2]),
  },
  S20: {
    title: 'A second handshake of the same browser ends the first session',
    arm: (stage) => {
      const { sessions, switches } = stage.world
      switches.oneSessionPerBrowser = true
      amidPolls(stage, () => {
        for (const session of sessions.all()) sessions.remove(session, { kind: 'expired' })
      })
    },
  },
  S21: {
    title: 'A second connect of one session releases the first',
    arm: (stage) =>
      amidPolls(stage, () => {
        for (const session of stage.world.sessions.all()) session.held?.finish({ kind: 'replaced' })
      }),
  },
  S22: {
    title: '402::Unknown client, as before 2015',
    arm: (stage) => {
      stage.world.switches.unknownClientCode = 402
      beforeConnects(stage, () => stage.faults.loseSessions())
    },
  },
  S23: {
    title: 'multiple-clients advice: another tab of the same browser polls too, so connects are not held',
    arm: ({ world }) => {
      world.switches.secondTab = true
    },
  },
  S24: {
    title: 'The BAYEUX_BROWSER cookie did not arrive: 400 on a connect',
    arm: (stage) =>
      befall(
        stage,
        refusal(({ clientId = '' }) => ({ clientId, error: noCookie(clientId) })),
      ),
  },
} satisfies Record<string, Scenario>
