import { afterSubscribe, asEver, publishSamples, type Scenario, soon } from './scenario.ts'

export const happyPath = {
  S01: asEver('Handshake without advice, first connect at once with advice, connects held for 110 s'),
  S02: {
    title: 'One event a second after the first subscription',
    arm: (stage) => afterSubscribe(stage, (channel) => publishSamples(stage.world, channel, 1)),
  },
  S03: { title: 'Three events on every channel before anyone subscribes', arm: ({ world }) => backlog(world, 3) },
  S04: { title: 'Five events on every channel, to resume strictly after one of them', arm: ({ world }) => backlog(world, 5) },
  S05: { title: 'Replay ids beyond 2^53, far from contiguous', arm: ({ world }) => world.bus.resetIds(9_007_199_254_740_993n) },
  S06: {
    title: '5,000 events of 2.4 kB at once: 12 MB in one reply, compressed over HTTP',
    arm: (stage) => {
      stage.world.switches.gzip = true
      afterSubscribe(stage, (channel) => {
        const definition = stage.world.bus.definition(channel)
        const text = 'x'.repeat(2_400)
        for (let number = 1; number <= 5_000; number += 1) {
          stage.world.bus.publish(channel, definition?.kind === 'generic' ? text : { Name: `Sample ${number}`, Text__c: text })
        }
      })
    },
  },
  S07: {
    title: 'Events ride on whatever reply leaves first, such as that of a subscribe',
    arm: ({ world }) => {
      world.switches.dataOn = 'any-reply'
      backlog(world, 3)
    },
  },
  S08: {
    title: 'Events stand after the connect reply',
    arm: (stage) => {
      stage.world.switches.dataOrder = 'after-reply'
      afterSubscribe(stage, (channel) => publishSamples(stage.world, channel, 3))
    },
  },
  S09: {
    title: 'An event on every channel of every family, system topics without replay id',
    arm: (stage) =>
      soon(stage, () => {
        for (const channel of stage.world.bus.channels) publishSamples(stage.world, channel, 1)
      }),
  },
  S10: {
    title: 'PushTopic records, half of which match a filter on Industry',
    arm: (stage) => soon(stage, () => publishSamples(stage.world, '/topic/InvoiceStatementUpdates', 4)),
  },
  S11: {
    title: 'Three events are queued when a channel is unsubscribed, and still arrive',
    arm: ({ world, faults }) => {
      world.switches.batchMs = 100
      faults.next({ on: 'unsubscribe', kind: 'call', call: ({ subscriptions }) => publishSamples(world, subscriptions[0] ?? '', 3) })
    },
  },
  S12: {
    title: 'Twenty client slots, as in a Developer Edition',
    arm: ({ world }) => {
      world.limits.concurrentClients = 20
    },
  },
} satisfies Record<string, Scenario>

function backlog(world: Parameters<Scenario['arm']>[0]['world'], count: number): void {
  for (const channel of world.bus.channels) {
    // The others carry these events too.
    const kind = world.bus.definition(channel)?.kind
    if (kind !== 'custom-channel' && kind !== 'change-events') publishSamples(world, channel, count)
  }
}
