import type { BayeuxMessage } from '@sfstream/core'
import { authenticationRequired, handshakeDenied, noCookie } from '../../bayeux/texts.ts'
import type { PlannedFault } from '../fault.ts'
import { altered, alteredReplies, refusal } from './altered.ts'
import { beforeConnects, publishSamples, renderedData, type Scenario, subscribedChannels, thenMeet } from './scenario.ts'

type Advice = NonNullable<BayeuxMessage['advice']>

const always = Number.POSITIVE_INFINITY
/** A handshake, refused in the general words. */
const denied = (advice: Advice): PlannedFault => ({ on: 'handshake', ...refusal(() => ({ error: handshakeDenied, advice })) })
const status = (code: number, headers: Record<string, string> = {}): PlannedFault => ({
  on: 'handshake',
  kind: 'http',
  status: code,
  headers: { 'Content-Type': 'text/html', ...headers },
  body: '<html></html>',
})

/** Cases of other Bayeux servers and clients (C), as they befall a client that comes back after a lost session. */
export const interopHandshake = {
  C03: {
    title: 'Handshake advice with a failed connect, none with the handshake that follows',
    arm: (stage) => beforeConnects(stage, () => stage.faults.loseSessions()),
  },
  C04: {
    title: 'From some time on handshakes are denied with advice none, without a reason',
    arm: (stage) => thenMeet(stage, [{ ...denied({ reconnect: 'none' }), times: always }], [1]),
  },
  C05: {
    title: 'Handshakes are denied three times, with advice to try again after 700 ms',
    arm: (stage) => thenMeet(stage, [{ ...denied({ reconnect: 'handshake', interval: 700 }), times: 3 }]),
  },
  C06: {
    title: 'Handshakes are denied three times, with advice to try again and no interval',
    arm: (stage) => thenMeet(stage, [{ ...denied({ reconnect: 'handshake' }), times: 3 }]),
  },
  C07: {
    title: 'From some time on handshakes offer websocket alone',
    arm: (stage) =>
      thenMeet(
        stage,
        [
          {
            on: 'handshake',
            times: always,
            ...alteredReplies((reply) => ({ ...reply, supportedConnectionTypes: ['websocket'] })),
          },
        ],
        [1],
      ),
  },
  C08: {
    title: 'A handshake is refused without id and channel: 401::Request requires authentication',
    arm: (stage) =>
      thenMeet(stage, [{ on: 'handshake', kind: 'messages', messages: [{ error: authenticationRequired, successful: false }] }]),
  },
  C09: {
    title: 'The session is lost, and every token after it is refused: 401 inside 403::Handshake denied',
    arm: (stage) => thenMeet(stage, [{ on: 'handshake', times: always, kind: 'call', call: () => stage.faults.revokeTokens() }], [1]),
  },
  C10: {
    title: 'Client slots run out for ten minutes just when a session was lost',
    arm: (stage) => {
      const { limits, clock } = stage.world
      beforeConnects(stage, () => {
        const { concurrentClients } = limits
        limits.concurrentClients = 0
        clock.delay(() => {
          limits.concurrentClients = concurrentClients
        }, 600_000)
        stage.faults.loseSessions()
      })
    },
  },
  C11: {
    title: 'Handshakes meet HTTP 500, 503 with Retry-After: 20, and 403; later 401; later 404',
    arm: (stage) => {
      thenMeet(stage, [status(500), status(503, { 'Retry-After': '20' }), status(403)], [1])
      thenMeet(stage, [status(401)], [9])
      thenMeet(stage, [status(404)], [20])
    },
  },
  C12: {
    title: 'A handshake is never answered',
    arm: (stage) => thenMeet(stage, [{ on: 'handshake', kind: 'hold' }]),
  },
  C13: {
    title: 'Events published between two sessions come with the reply to the handshake',
    arm: (stage) => {
      const { world, faults } = stage
      beforeConnects(stage, () => {
        const channels = subscribedChannels(world)
        faults.loseSessions()
        for (const channel of channels) publishSamples(world, channel, 1)
        const events = channels.flatMap((channel) => renderedData(world.bus.log(channel).history().slice(-1)))
        faults.next({ on: 'handshake', ...altered((replies) => [...events, ...replies]) })
      })
    },
  },
  C15: {
    title: 'Handshake replies have fields that nobody knows, constructor among them',
    arm: (stage) =>
      thenMeet(stage, [
        {
          on: 'handshake',
          ...alteredReplies((reply) => ({ ...reply, minimumVersion: '0.9', constructor: 'x', toString: 1, nested: { deep: [1] } })),
        },
      ]),
  },
  C65: {
    title: 'A handshake reply does not say that the server replays',
    arm: (stage) => thenMeet(stage, [{ on: 'handshake', ...alteredReplies(({ ext: _, ...reply }) => reply) }]),
  },
  C72: {
    title: 'From some time on the BAYEUX_BROWSER cookie never arrives',
    arm: (stage) => {
      const lost = refusal(({ clientId = '' }) => ({
        clientId,
        error: noCookie(clientId),
      }))
      thenMeet(
        stage,
        [
          { ...lost, on: 'connect', times: always },
          { ...lost, on: 'subscribe', times: always },
        ],
        [1],
      )
    },
  },
  C85: {
    title: 'The token is revoked, and the token endpoint does not answer the first request for another',
    arm: (stage) =>
      beforeConnects(stage, () => {
        stage.faults.next({ on: 'token', kind: 'hold' })
        stage.faults.revokeTokens()
      }),
  },
  C86: {
    title: 'Two requests meet 401 at once: a subscribe and the connect beside it',
    arm: (stage) => {
      const revoke = { on: 'subscribe', kind: 'call', call: () => stage.faults.revokeTokens() } as const
      stage.faults.next(revoke)
      thenMeet(stage, [revoke])
    },
  },
} satisfies Record<string, Scenario>
