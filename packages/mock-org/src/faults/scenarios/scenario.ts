import type { PublishExtra } from '../../events/publish-extra.ts'
import { sampleEvent } from '../../events/sample-event.ts'
import type { SeenRequest } from '../../records.ts'
import type { World } from '../../world.ts'
import type { Faults } from '../faults.ts'

/** What a scenario works with. */
export interface Stage {
  readonly world: World
  readonly faults: Faults
}

/** A named course of events. Arming it changes switches and plans faults; the client's own requests set them off. */
export interface Scenario {
  readonly title: string
  arm(stage: Stage): void
}

/** Nothing to arm: the org does this by itself whenever a client gives it the occasion. */
export function asEver(title: string): Scenario {
  return { title, arm: () => undefined }
}

/** How long a connect has been held when something happens amid it. */
const midPollMs = 1_000

/** Runs `action` a second after the first subscription: by then a client holds a connect. */
export function midPoll({ world, faults }: Stage, action: () => void): void {
  faults.next({ on: 'subscribe', kind: 'call', call: () => void world.clock.delay(action, midPollMs) })
}

/** Runs `action` just before the org sees a steady session's connect, `after` of them having passed. */
export function beforeConnect({ world, faults }: Stage, action: () => void, { after = 1, times = 1 } = {}): void {
  faults.next({ on: 'connect', when: steady(world), after, times, kind: 'call', call: action })
}

/** The session has had its first connect and is subscribed. */
export function steady(world: World): (request: SeenRequest) => boolean {
  return ({ clientId }) =>
    world.sessions.all().some((session) => session.clientId === clientId && session.connects > 0 && session.subscriptions.size > 0)
}

/** Runs `action` with the channel, a second after something was subscribed. */
export function afterSubscribe({ world, faults }: Stage, action: (channel: string) => void): void {
  faults.next({
    on: 'subscribe',
    kind: 'call',
    call: (request) => {
      const channel = request.subscriptions[0]?.split('?')[0]
      if (channel !== undefined) world.clock.delay(() => action(channel), midPollMs)
    },
  })
}

export function publishSamples({ bus }: World, channel: string, count: number, extra: PublishExtra = {}): void {
  const definition = bus.definition(channel)
  if (!definition) return
  for (let number = 1; number <= count; number += 1) {
    const sample = sampleEvent(definition, number)
    bus.publish(channel, sample.payload, { ...sample.extra, ...extra })
  }
}
