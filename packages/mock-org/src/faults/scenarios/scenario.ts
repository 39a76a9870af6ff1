import type { BayeuxMessage } from '@sfstream/core'
import { type LoggedEvent, renderData } from '../../events/logged-event.ts'
import type { PublishExtra } from '../../events/publish-extra.ts'
import { sampleEvent } from '../../events/sample-event.ts'
import { parseJson } from '../../json.ts'
import type { SeenRequest } from '../../records.ts'
import type { World } from '../../world.ts'
import type { Fault, PlannedFault } from '../fault.ts'
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

/** Which connects of steady sessions meet what comes again and again, counted from 0 over all sessions. */
const again: readonly number[] = [1, 9, 25]

/** Every second one: some of them bring events. */
export const everyOther: readonly number[] = [1, 3, 5, 7, 9, 11]

/** Something befalls the connects of steady sessions, again and again. */
export function befall({ world, faults }: Stage, fault: Fault, connects: readonly number[] = again): void {
  // Each counts the connects that it lets pass; one that another fault takes is counted by those planned before it alone.
  for (const [earlier, connect] of connects.entries())
    faults.next({ ...fault, on: 'connect', when: steady(world), after: Math.max(0, connect - earlier) })
}

/** Runs `action` just before the org sees a connect. */
export function beforeConnects(stage: Stage, action: () => void, connects?: readonly number[]): void {
  befall(stage, { kind: 'call', call: action }, connects)
}

/** Runs `action` while a connect is held. */
export function amidPolls(stage: Stage, action: () => void, connects?: readonly number[]): void {
  befall(stage, { kind: 'call', call: () => void stage.world.clock.delay(action, midPollMs) }, connects)
}

/** Loses the session while the client streams; the requests by which it comes back meet `faults`, one after the other. */
export function thenMeet(stage: Stage, list: readonly PlannedFault[], connects?: readonly number[]): void {
  const action = (): void => {
    for (const fault of list) stage.faults.next(fault)
    stage.faults.loseSessions()
  }
  beforeConnects(stage, action, connects)
}

/** The session has had its first connect and is subscribed. */
export function steady(world: World): (request: SeenRequest) => boolean {
  return ({ clientId }) =>
    world.sessions.all().some((session) => session.clientId === clientId && session.connects > 0 && session.subscriptions.size > 0)
}

/** Runs `action` a second after the first subscription, once: for what is published then. */
export function soon({ world, faults }: Stage, action: () => void): void {
  faults.next({ on: 'subscribe', kind: 'call', call: () => void world.clock.delay(action, midPollMs) })
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

/** Channels that somebody is subscribed to now, without their filters. */
export function subscribedChannels({ sessions }: World): string[] {
  return [...new Set(sessions.all().flatMap((session) => [...session.subscriptions.values()].map(({ channel }) => channel)))]
}

/** Logged events as an org of today sends them. */
export function renderedData(logged: readonly { event: LoggedEvent }[]): BayeuxMessage[] {
  return logged.map(({ event }) => ({ channel: event.channel, data: parseJson(renderData(event, today)) }))
}

const today = 66
