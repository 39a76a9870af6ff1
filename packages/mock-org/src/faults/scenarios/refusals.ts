import {
  authenticationInvalid,
  clientLimit,
  createDenied,
  handshakeDenied,
  otherUser,
  replayNotInMap,
  serverBusy,
  versionUnsupported,
} from '../../bayeux/texts.ts'
import { beforeConnect, type Scenario, steady } from './scenario.ts'

export const refusals = {
  S37: {
    title: 'The server is busy on a handshake, a connect (whose error says 401) and a subscribe (whose error says denied)',
    arm: ({ world, faults }) => {
      faults.busy({ on: 'handshake' })
      faults.busy({ on: 'subscribe' })
      faults.next({
        on: 'connect',
        when: steady(world),
        after: 1,
        kind: 'fail',
        error: authenticationInvalid,
        failureReason: serverBusy,
        reconnect: 'none',
      })
    },
  },
  S38: {
    title: 'Organization concurrent user limit exceeded, twice',
    arm: ({ faults }) => {
      faults.next({ on: 'handshake', times: 2, kind: 'fail', error: handshakeDenied, failureReason: clientLimit, reconnect: 'none' })
    },
  },
  S39: { title: 'To protect all customers …, twice', arm: ({ faults }) => faults.protect(2) },
  S40: {
    title: 'Five deliveries a day: then the daily limit, on connect and on subscribe, until the window has passed',
    arm: ({ world }) => {
      world.limits.dailyPlatformEvents = 5
    },
  },
  S41: {
    title: 'The session is lost and the position with it: the replay id is refused',
    arm: (stage) =>
      beforeConnect(stage, () => {
        stage.faults.resetReplayIds()
        stage.faults.loseSessions()
      }),
  },
  S42: {
    title: 'The replay map lacks the channel',
    arm: ({ faults }) => {
      faults.next({
        on: 'subscribe',
        kind: 'messages',
        messages: (sent) =>
          sent.map(({ channel = '', id, clientId, subscription }) => ({
            ...(clientId === undefined ? {} : { clientId }),
            channel,
            ...(id === undefined ? {} : { id }),
            ...(subscription === undefined ? {} : { subscription }),
            error: replayNotInMap(String(subscription), '{}'),
            successful: false,
          })),
      })
    },
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
    arm: ({ faults }) => {
      faults.next({ on: 'subscribe', kind: 'http', status: 413, body: 'Maximum Request Size Exceeded' })
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
    arm: ({ world, faults }) => {
      faults.next({ on: 'connect', when: steady(world), after: 1, kind: 'fail', error: otherUser, reconnect: 'none' })
    },
  },
} satisfies Record<string, Scenario>
