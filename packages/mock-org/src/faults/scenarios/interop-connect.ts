import { altered, alteredReplies, isReply, refusal } from './altered.ts'
import { amidPolls, asEver, befall, everyOther, type Scenario, soon } from './scenario.ts'

/** Cases (C) of single connects, and of the replies to them. */
export const interopConnect = {
  C20: {
    title: 'The reply to a connect has the id of another',
    arm: (stage) =>
      befall(
        stage,
        alteredReplies((reply) => ({ ...reply, id: 'other' })),
      ),
  },
  C21: {
    title: 'The reply to a connect leaves 140 s after the org has written it',
    arm: (stage) => befall(stage, { kind: 'delay', ms: 140_000 }),
  },
  C22: {
    title: 'A connect is never answered',
    arm: (stage) => befall(stage, { kind: 'hold' }),
  },
  C23: {
    title: 'A connect is answered with HTTP 500, as one that another took the place of',
    arm: (stage) => befall(stage, { kind: 'http', status: 500, headers: { 'Content-Type': 'text/plain' }, body: '' }),
  },
  C24: {
    title: 'A connect fails with 404::message_deleted, without advice',
    arm: (stage) =>
      befall(
        stage,
        refusal(({ clientId }) => ({ clientId, error: '404::message_deleted' })),
      ),
  },
  C57: {
    title: 'Events bear the id of the connect that they come with',
    arm: (stage) =>
      befall(
        stage,
        altered((messages) => {
          const id = messages.find(isReply)?.id
          return messages.map((message) => (id === undefined || isReply(message) ? message : { ...message, id }))
        }),
        everyOther,
      ),
  },
  C58: {
    title: 'Beside the events comes a message that has a channel and no data',
    arm: (stage) =>
      befall(
        stage,
        altered((messages) => [{ channel: '/event/Low_Ink__e' }, ...messages]),
      ),
  },
  C61: {
    title: 'The answers of six connects are lost once they were written, events and all',
    arm: (stage) => befall(stage, { kind: 'network-error', lost: 'reply' }, everyOther),
  },
  C63: {
    title: 'Connects fail though events came with them',
    arm: (stage) =>
      befall(
        stage,
        alteredReplies((reply) => ({ ...reply, successful: false, error: '500::Internal', advice: { reconnect: 'retry', interval: 0 } })),
        everyOther,
      ),
  },
  C73: asEver('Cookies with Path, Domain, Secure, Expires and Max-Age, one of them of a foreign domain'),
  C75: {
    title: "The load balancer's cookie changes with every reply, amid a session",
    arm: ({ world }) => {
      world.switches.rotateAffinity = true
    },
  },
  C77: {
    title: 'A reset, broken-off JSON, an empty body, HTTP 204, a byte order mark, a number, a list of nothing known, in turn',
    arm: (stage) => {
      const bodies = [(body: string) => body.slice(0, -5), () => '', (body: string) => `\uFEFF${body}`, () => '7', () => '[1,null,"x",[]]']
      befall(stage, { kind: 'network-error' }, [1])
      befall(stage, { kind: 'cut', afterBytes: 40 }, [4])
      befall(stage, { kind: 'http', status: 204 }, [7])
      for (const [turn, body] of bodies.entries()) befall(stage, { kind: 'rewrite', body }, [10 + 3 * turn])
    },
  },
  C78: {
    title: 'A reply trickles, a byte every 20 s',
    arm: (stage) => befall(stage, { kind: 'drip', bytes: 1, everyMs: 20_000 }),
  },
  C82: {
    title: 'Offline for two minutes, three times',
    arm: (stage) => {
      const { world, faults } = stage
      amidPolls(stage, () => {
        const back = faults.offline()
        world.clock.delay(back, 120_000)
      })
    },
  },
  C88: asEver("The load balancer's cookie runs out every three hours, and with it the session"),
  C90: {
    title: 'Replies stand anywhere, come twice, or lack id, channel, clientId or successful, as the seed has it',
    arm: (stage) => {
      const { random } = stage.world
      const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
      const mangled = altered((messages) => {
        const result = messages.filter((message) => !isReply(message))
        for (const reply of messages.filter(isReply)) {
          const { [pick(['id', 'channel', 'clientId', 'successful', 'nothing'])]: _, ...rest } = reply
          for (let times = pick([1, 1, 2]); times > 0; times -= 1) result.splice(Math.floor(random() * (result.length + 1)), 0, rest)
        }
        return result
      })
      befall(
        stage,
        mangled,
        Array.from({ length: 20 }, (_, turn) => 1 + 2 * turn),
      )
    },
  },
  C50: {
    title: 'An Account changes: a copy on /data/ChangeEvents, another on /data/AccountChangeEvent',
    arm: (stage) => soon(stage, () => void stage.world.bus.publish('/data/AccountChangeEvent', { Name: 'Twice' })),
  },
} satisfies Record<string, Scenario>
