import type { SfStreamError } from '@sfstream/core'
import { families } from './plan.ts'
import type { World } from './simulate.ts'

/** Everything is as it should be again this long after the last fault: the longest delay between attempts (auth, 5 min) and some requests. */
export const recoveryMs = 15 * 60_000
/** After an org limit: the longest delay is an hour. */
export const limitRecoveryMs = 75 * 60_000
const hourMs = 3_600_000

export interface Invariants {
  /** What holds at every moment. */
  always(): void
  /** What holds once the faults have stopped, and after `stop()`. */
  afterwards(): Promise<void>
}

export function invariants(world: World, failures: readonly unknown[]): Invariants {
  const { clock, org, history, plan, network, store } = world
  const { settings } = plan
  const names = settings.channels.map(({ channel }) => channel)
  const has = (...types: string[]): boolean => plan.steps.some(({ action }) => types.includes(action.type))

  const buffersAreBounded = (): void => {
    for (const { channel, maxBuffered } of settings.channels) {
      const { received = 0, delivered = 0, buffered = 0 } = world.program.subscriptions.get(channel)?.stats ?? {}
      // A reply that was received already is kept whole; of replies without a bound nothing can be said.
      const reply = settings.switches.maxEventsPerReply ?? Number.POSITIVE_INFINITY
      if (buffered > maxBuffered + reply) history.violate(`${channel}: ${buffered} events are buffered, ${maxBuffered} allowed`)
      if (delivered > received) history.violate(`${channel}: ${delivered} delivered of ${received} received`)
    }
  }

  /** Typed, and with a reason among what befell the run. */
  const failuresAreExplained = (): void => {
    for (const failure of failures as SfStreamError[]) {
      const explained =
        (failure.code === 'token_refused' && has('revoke-tokens', 'migrate')) ||
        (failure.code === 'client_stopped' && has('restart')) ||
        (failure.code === 'http_status' && has('migrate')) ||
        (failure.code === 'store_unreadable' && has('store')) ||
        settings.scenario !== undefined
      if (!explained) history.violate(`an iterator rejected without need: ${failure.code}: ${failure.message}`)
    }
  }

  const requestsAreBounded = (): void => {
    const troubles = plan.steps.length + world.programs
    // Each trouble may cost a few sessions; a storm costs hundreds.
    const most = (kind: string): number => {
      const times = history.requests.filter((request) => request.kind === kind).map(({ at }) => at)
      let worst = 0
      for (let from = 0, to = 0; to < times.length; to++) {
        while ((times[to] as number) - (times[from] as number) > hourMs) from++
        worst = Math.max(worst, to - from + 1)
      }
      return worst
    }
    const handshakes = most('handshake')
    if (handshakes > 4 * troubles + 10) history.violate(`${handshakes} handshakes in an hour, ${troubles} troubles`)
    if (world.logins > 2 * troubles + 10) history.violate(`${world.logins} logins, ${troubles} troubles`)
    const published = [...history.channels.values()].reduce((sum, { log }) => sum + log.length, 0)
    const connects = most('connect')
    // Where a buffer holds a few events and the org sends a few at a time, each few are a pause: what is queued is let out, then fetched again.
    const pauses = settings.channels.some(({ maxBuffered }) => maxBuffered <= 10) && Number.isFinite(settings.switches.maxEventsPerReply)
    if (connects > 120 + 12 * troubles + (pauses ? 12 : 2) * published)
      history.violate(`${connects} connects in an hour, ${published} events`)
    const subscribes = most('subscribe') + most('unsubscribe')
    if (subscribes > 20 + 12 * troubles * names.length) history.violate(`${subscribes} subscribes and unsubscribes in an hour`)
  }

  /** The org counts each delivery: what is delivered again was lost on its way, or was not finished. */
  const deliveriesAreBounded = (): void => {
    for (const [channel, { log, subscribes }] of history.channels) {
      const drawn = org.inspect.deliveries[channel] ?? 0
      if (drawn > log.length + subscribes * Math.min(log.length, 200))
        history.violate(`${channel}: ${drawn} deliveries of ${log.length} events`)
    }
  }

  const recovered = (): boolean => {
    const { client, process } = world.program
    return !process.dead && client.state === 'live' && names.every((channel) => org.inspect.subscriptions[channel] !== undefined)
  }
  const allHandled = (): boolean => [...history.channels.values()].every((channel) => channel.missing().length === 0)

  const lost = (): string =>
    [...history.channels.values()]
      .flatMap((channel) => channel.missing().map(({ mark, id }) => `${channel.name} ${mark} (${id})`))
      .slice(0, 5)
      .join(', ')

  const within = async (what: () => string, condition: () => boolean, limitMs: number): Promise<boolean> => {
    try {
      await clock.runUntil(() => history.violations.length > 0 || condition(), limitMs)
      return true
    } catch (error) {
      history.violate(`${what()} (${(error as Error).message.slice(0, 200)})`)
      return false
    }
  }

  return {
    always() {
      buffersAreBounded()
    },

    async afterwards() {
      world.heal()
      const limitMs = has('limit') || settings.scenario !== undefined ? limitRecoveryMs : recoveryMs
      history.trace(() => '--- all faults have stopped')
      if (
        !(await within(
          () => `not live and subscribed again: ${world.program.client.state}, ${JSON.stringify(org.inspect.subscriptions)}`,
          recovered,
          limitMs,
        ))
      )
        return
      if (!(await within(() => `lost: ${lost()}`, allHandled, 40 * 60_000))) return
      // A last event on each channel: the streams live.
      for (const channel of names) if (families.includes(channel)) history.publish(channel, { bytes: 0, twice: false })
      if (!(await within(() => `dead: ${lost()}`, allHandled, 10 * 60_000))) return
      await clock.advance(60_000)
      this.always()
      if (history.violations.length > 0) return
      failuresAreExplained()
      requestsAreBounded()
      deliveriesAreBounded()
      await afterStop()
    },
  }

  async function afterStop(): Promise<void> {
    const { client, process, done } = world.program
    let stopped: string | undefined
    client.stop().then(
      () => (stopped = 'well'),
      (error: unknown) => (stopped = String(error)),
    )
    if (
      !(await within(
        () => 'stop() never settled',
        () => stopped !== undefined,
        20_000,
      ))
    )
      return
    if (stopped !== 'well') history.violate(`stop() rejected: ${stopped}`)
    let over = false
    void done.then(() => (over = true))
    if (
      !(await within(
        () => 'a consumer was never told of the end',
        () => over,
        5_000,
      ))
    )
      return
    await clock.settle()
    for (const [channel, record] of history.channels) {
      const { lastFinished, wantedFrom = 0 } = record
      const stored = store.durable.get(channel)?.replayId
      // Where a program found nothing stored, what came before is not its own.
      if (lastFinished && !lastFinished.ambiguous && lastFinished.index >= wantedFrom && String(stored) !== lastFinished.id)
        history.violate(`${channel}: ${stored} is stored, ${lastFinished.id} was the last to be finished`)
      if (lastFinished !== record.log.at(-1))
        history.violate(`${channel}: ${record.log.length} events, finished only to ${lastFinished?.mark}`)
    }
    if (process.timers > 0) history.violate(`${process.timers} timers are left`)
    if (network.waiting > 0) history.violate(`${network.waiting} requests are left`)
    await clock.advance(41_000)
    const { used } = org.inspect.slots
    if (used > 0) history.violate(`${used} client slots are still in use`)
  }
}
