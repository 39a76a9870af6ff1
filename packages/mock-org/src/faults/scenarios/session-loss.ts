import { noCookie } from '../../bayeux/texts.ts'
import { asEver, beforeConnect, midPoll, type Scenario, steady } from './scenario.ts'

export const sessionLoss = {
  S13: {
    title: 'A session is forgotten: 403::Unknown client with handshake advice',
    arm: (stage) => beforeConnect(stage, () => stage.faults.loseSessions()),
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
    arm: (stage) => midPoll(stage, () => stage.faults.loseSessions({ kicked: true })),
  },
  S17: {
    title: 'A bare 403 without channel and id on subscribe',
    arm: ({ world, faults }) => {
      world.switches.bareUnknownClient = true
      faults.next({ on: 'subscribe', kind: 'call', call: () => faults.loseSessions() })
    },
  },
  S18: {
    title: 'An unsolicited /meta/disconnect alone, as when the org scales',
    arm: (stage) => midPoll(stage, () => stage.faults.disconnect()),
  },
  S19: {
    title: 'Handshake and subscribe succeed, connect meets 403, three times over',
    arm: (stage) => beforeConnect(stage, () => stage.faults.loseSessions(), { after: 0, times: 3 }),
  },
  S20: {
    title: 'A second handshake of the same browser ends the first session',
    arm: ({ world }) => {
      world.switches.oneSessionPerBrowser = true
    },
  },
  S21: asEver('A second connect of one session releases the first'),
  S22: {
    title: '402::Unknown client, as before 2015',
    arm: (stage) => {
      stage.world.switches.unknownClientCode = 402
      beforeConnect(stage, () => stage.faults.loseSessions())
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
    arm: ({ world, faults }) => {
      const messages = (sent: readonly { id?: string | number; clientId?: string }[]) =>
        sent.map(({ id, clientId = '' }) => ({
          channel: '/meta/connect',
          ...(id === undefined ? {} : { id }),
          clientId,
          successful: false,
          error: noCookie(clientId),
        }))
      faults.next({ on: 'connect', when: steady(world), after: 1, kind: 'messages', messages })
    },
  },
} satisfies Record<string, Scenario>
