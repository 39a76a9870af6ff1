import type { HoldEnd, Session } from '../../bayeux/session.ts'
import { authenticationInvalid, createDenied } from '../../bayeux/texts.ts'
import { altered, refusal } from './altered.ts'
import { happyPath } from './happy-path.ts'
import {
  amidPolls,
  befall,
  beforeConnects,
  everyOther,
  publishSamples,
  renderedData,
  type Scenario,
  type Stage,
  subscribedChannels,
  thenMeet,
} from './scenario.ts'

/** Every session ends while its connect is held. */
const endAmidPolls = (stage: Stage, end: (session: Session) => HoldEnd, first: () => void = () => undefined): void =>
  amidPolls(stage, () => {
    first()
    for (const session of stage.world.sessions.all()) stage.world.sessions.remove(session, end(session))
  })
const failed = (error: string, reconnect: 'none' | 'handshake', kicked = false): HoldEnd => ({ kind: 'failed', error, reconnect, kicked })

/** Cases (C) of lost sessions, and of subscriptions. */
export const interopSession = {
  C37: {
    title: '402::session_unknown while a connect is held, as CometD says it',
    arm: (stage) => endAmidPolls(stage, () => failed('402::session_unknown', 'handshake')),
  },
  C38: {
    title: '403::Unknown client on a connect, and again on the subscribe that follows',
    arm: (stage) => thenMeet(stage, [{ on: 'subscribe', kind: 'call', call: () => stage.faults.loseSessions() }]),
  },
  C39: {
    title: '402::session_unknown on a subscribe, without advice',
    arm: (stage) =>
      thenMeet(stage, [
        {
          on: 'subscribe',
          ...refusal(({ subscription }) => {
            stage.faults.loseSessions()
            return { subscription, error: '402::session_unknown' }
          }),
        },
      ]),
  },
  C40: {
    title: '403::Unknown client right after a good handshake, five times over',
    arm: (stage) => thenMeet(stage, [{ on: 'connect', times: 5, kind: 'call', call: () => stage.faults.loseSessions() }]),
  },
  C41: {
    title: '401:<clientId>:Unknown client with handshake advice, as Faye says it',
    arm: (stage) => endAmidPolls(stage, ({ clientId }) => failed(`401:${clientId}:Unknown client`, 'handshake')),
  },
  C42: {
    title: 'Sessions are forgotten after 5 s of silence: sooner than a slow consumer may hold its client up',
    arm: ({ world }) => {
      world.switches.sessionExpiryMs = 5_000
    },
  },
  C43: {
    title: 'The server is started anew: its sessions are gone, and for ten seconds nobody listens',
    arm: (stage) => {
      const { world, faults } = stage
      amidPolls(stage, () => {
        const back = faults.offline()
        faults.loseSessions()
        world.clock.delay(back, 10_000)
      })
    },
  },
  C44: {
    title: 'An unsolicited /meta/disconnect before 401::Authentication invalid with reconnect none, in one reply',
    arm: (stage) =>
      endAmidPolls(
        stage,
        () => failed(authenticationInvalid, 'none', true),
        () => stage.world.tokens.revoke(),
      ),
  },
  C45: {
    title: 'The server disconnects in so many words (successful), and answers the connect as well',
    arm: (stage) =>
      befall(
        stage,
        altered((messages) => {
          stage.faults.loseSessions()
          return [{ channel: '/meta/disconnect', successful: true }, ...messages]
        }),
      ),
  },
  C46: {
    title: 'The replies to several subscribes come in another order, when a session was lost',
    arm: (stage) => {
      stage.world.switches.reverseReplies = true
      thenMeet(stage, [])
    },
  },
  C47: {
    title: 'Replayed events stand before the reply to their subscribe',
    arm: (stage) => replayWithReply(stage, 'before-reply'),
  },
  C48: {
    title: 'Events ride on whatever reply leaves first, and stand after it',
    arm: (stage) => replayWithReply(stage, 'after-reply'),
  },
  C51: {
    title: 'One channel is denied when it is subscribed again after a lost session, and allowed a minute later',
    arm: (stage) => {
      const { world, faults } = stage
      beforeConnects(stage, () => {
        const [channel = ''] = subscribedChannels(world)
        faults.deny(channel, createDenied)
        world.clock.delay(() => faults.deny(channel), 60_000)
        faults.loseSessions()
      }, [1])
    },
  },
  C52: {
    title: 'A subscribe is never answered',
    arm: (stage) => {
      const never = { on: 'subscribe', kind: 'hold' } as const
      stage.faults.next(never)
      thenMeet(stage, [never])
    },
  },
  C54: { title: 'An event crosses the unsubscribe of its channel', arm: happyPath.S11.arm },
  C55: {
    title: 'Data of a filtered PushTopic names the channel with its filter',
    arm: (stage) => {
      stage.world.switches.queryInDataChannel = true
      happyPath.S10.arm(stage)
    },
  },
  C59: {
    title: 'The server offers acknowledged delivery, which nobody asked for, and numbers its connects',
    arm: (stage) => {
      let batch = 0
      const ext = { ack: { enabled: true, batch: true, size: 8, hosts: false } }
      const offered = altered((messages) => messages.map((message) => ({ ...message, ext: { ...message.ext, ...ext } })))
      thenMeet(stage, [{ ...offered, on: 'handshake' }])
      befall(
        stage,
        altered((messages) => messages.map((message) => (message.data === undefined ? { ...message, ext: { ack: ++batch } } : message))),
        everyOther,
      )
    },
  },
  C64: {
    title: 'The session is lost with events queued for it',
    arm: (stage) =>
      beforeConnects(stage, () => {
        for (const channel of subscribedChannels(stage.world)) publishSamples(stage.world, channel, 2)
        stage.faults.loseSessions()
      }),
  },
  C68: {
    title: 'The replay id is refused after a lost session, and its successor after the next',
    arm: (stage) =>
      beforeConnects(stage, () => {
        stage.faults.resetReplayIds()
        stage.faults.loseSessions()
      }, [1, 12]),
  },
  C69: {
    title: 'The session is lost before the first event',
    arm: (stage) => beforeConnects(stage, () => stage.faults.loseSessions(), [0]),
  },
  C70: {
    title: 'After a lost session the last events come once more, with the reply to the subscribe; ids pass 2^53',
    arm: (stage) => {
      const { world, faults } = stage
      world.bus.resetIds(9_007_199_254_740_993n)
      beforeConnects(stage, () => {
        const channels = subscribedChannels(world)
        for (const channel of channels) publishSamples(world, channel, 2)
        // Once these have been delivered.
        world.clock.delay(() => {
          const events = channels.flatMap((channel) => renderedData(world.bus.log(channel).history().slice(-2)))
          faults.next({ on: 'subscribe', ...altered((replies) => [...events, ...replies]) })
          faults.loseSessions()
        }, 5_000)
      }, [1, 9])
    },
  },
} satisfies Record<string, Scenario>

function replayWithReply(stage: Stage, dataOrder: 'before-reply' | 'after-reply'): void {
  const { world, faults } = stage
  world.switches.dataOn = 'any-reply'
  world.switches.dataOrder = dataOrder
  beforeConnects(stage, () => {
    const channels = subscribedChannels(world)
    faults.loseSessions()
    for (const channel of channels) publishSamples(world, channel, 3)
  })
}
