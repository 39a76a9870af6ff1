import {
  authenticationInvalid,
  clientLimit,
  createDenied,
  handshakeDenied,
  otherUser,
  replayNotInMap,
  serverBusy,
  serverLimit,
  subscribeDenied,
  versionUnsupported,
} from '../../bayeux/texts.ts'
import { refusal } from './altered.ts'
import { befall, beforeConnects, type Scenario, thenMeet } from './scenario.ts'

export const refusals = {
  S37: {
    title: 'The server is busy on a handshake, a connect (whose error says 401) and a subscribe (whose error says denied)',
    arm: (stage) => {
      const denied = { kind: 'fail', failureReason: serverBusy } as const
      befall(stage, { ...denied, error: authenticationInvalid, reconnect: 'none' }, [1, 12])
      thenMeet(
        stage,
        [
          { ...denied, on: 'handshake', error: handshakeDenied, reconnect: 'none' },
          { ...denied, on: 'subscribe', error: subscribeDenied },
        ],
        [4, 16],
      )
    },
  },
  S38: {
    title: 'Organization concurrent user limit exceeded, twice, when a session was lost',
    arm: (stage) =>
      thenMeet(stage, [{ on: 'handshake', times: 2, kind: 'fail', error: handshakeDenied, failureReason: clientLimit, reconnect: 'none' }]),
  },
  S39: {
    title: 'To protect all customers …, twice, when a session was lost',
    arm: (stage) =>
      thenMeet(stage, [{ on: 'handshake', times: 2, kind: 'fail', error: handshakeDenied, failureReason: serverLimit, reconnect: 'none' }]),
  },
  S40: {
    title: 'Five deliveries a day: then the daily limit, on connect and on subscribe, until the window has passed',
    arm: ({ world }) => {
      world.limits.dailyPlatformEvents = 5
    },
  },
  S41: {
    title: 'The session is lost and the position with it: the replay id is refused',
    arm: (stage) =>
      beforeConnects(stage, () => {
        stage.faults.resetReplayIds()
        stage.faults.loseSessions()
      }, [1]),
  },
  S42: {
    title: 'The replay map of a later subscribe lacks the channel',
    arm: (stage) =>
      thenMeet(
        stage,
        [{ on: 'subscribe', ...refusal(({ subscription }) => ({ subscription, error: replayNotInMap(String(subscription), '{}') })) }],
        [1],
      ),
  },
  S43: {
    title: 'The first channel that is subscribed is denied for good; others live',
    arm: ({ faults }) => {
      faults.next({
        on: 'subscribe',
        kind: 'call',
        call: ({ subscriptions }) => faults.deny(subscriptions[0]?.split('?')[0] ?? '', createDenied),
      })
    },
  },
  S44: {
    title: 'A subscribe is too large: 413',
    arm: (stage) => {
      const tooLarge = { on: 'subscribe', kind: 'http', status: 413, body: 'Maximum Request Size Exceeded' } as const
      stage.faults.next(tooLarge)
      thenMeet(stage, [tooLarge])
    },
  },
  S45: {
    title: 'Unsupported API version',
    arm: ({ faults }) => {
      faults.next({ on: 'handshake', times: Number.POSITIVE_INFINITY, kind: 'fail', error: versionUnsupported, reconnect: 'none' })
    },
  },
  S46: {
    title: "The authenticated user is not the session's",
    arm: (stage) => befall(stage, { kind: 'fail', error: otherUser, reconnect: 'none' }),
  },
} satisfies Record<string, Scenario>
