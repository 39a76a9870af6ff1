import type { Fault } from '../fault.ts'
import { amidPolls, befall, type Scenario, type Stage, steady } from './scenario.ts'

const html = { 'Content-Type': 'text/html;charset=UTF-8' }

/** One fault after the other, on consecutive connects of a steady session; then all again, later. */
function inTurn(stage: Stage, list: readonly Fault[]): void {
  for (const [turn, fault] of list.entries()) befall(stage, fault, [turn])
  for (const [turn, fault] of list.entries()) befall(stage, fault, [20 + turn])
}

export const transport = {
  S47: {
    title: 'The connection breaks before the headers, amid a body, and after a body',
    arm: (stage) => inTurn(stage, [{ kind: 'network-error' }, { kind: 'cut', afterBytes: 20 }, { kind: 'cut-after-body' }]),
  },
  S48: {
    title: 'A proxy gives up after 60 s: 504 with HTML, five times',
    arm: ({ faults, world }) => {
      faults.next({
        on: 'connect',
        when: steady(world),
        times: 5,
        kind: 'http',
        status: 504,
        afterMs: 60_000,
        body: '<html><body>Gateway Timeout</body></html>',
        headers: html,
      })
    },
  },
  S49: {
    title: 'A login page instead of the reply: 200 with HTML',
    arm: (stage) => inTurn(stage, [{ kind: 'http', status: 200, body: '<html><body>Login</body></html>', headers: html }]),
  },
  S50: {
    title: 'An empty body, {}, broken-off JSON, and a byte order mark',
    arm: (stage) =>
      inTurn(stage, [
        { kind: 'rewrite', body: () => '' },
        { kind: 'rewrite', body: () => '{}' },
        { kind: 'rewrite', body: (body) => body.slice(0, -5) },
        { kind: 'rewrite', body: (body) => `\uFEFF${body}` },
      ]),
  },
  S51: {
    title: '429 with Retry-After: 5',
    arm: (stage) =>
      inTurn(stage, [
        { kind: 'http', status: 429, headers: { 'Retry-After': '5', 'Content-Type': 'text/plain' }, body: 'Too Many Requests' },
      ]),
  },
  S52: {
    title: '302 to another host, which must not see the token',
    arm: (stage) => inTurn(stage, [{ kind: 'http', status: 302, headers: { Location: 'https://elsewhere.example/login' } }]),
  },
  S53: { title: 'A reply trickles, a byte every 40 s', arm: (stage) => inTurn(stage, [{ kind: 'drip', bytes: 1, everyMs: 40_000 }]) },
  S54: {
    title: 'Offline for five minutes',
    arm: (stage) =>
      amidPolls(stage, () => {
        const back = stage.faults.offline()
        stage.world.clock.delay(back, 300_000)
      }),
  },
  S55: {
    title: 'Numeric ids, and the replies of a batch in reverse',
    arm: ({ world }) => {
      world.switches.numericIds = true
      world.switches.reverseReplies = true
    },
  },
} satisfies Record<string, Scenario>
