import {
  type BayeuxMessage,
  createClient,
  SfStreamError,
  type StreamEvent,
  type StreamingClient,
  type SubscribeOptions,
  type Subscription,
} from '@sfstream/core'
import { virtualClock } from '@sfstream/mock-org'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { spyStore } from '../../../core/test/support/rig.ts'
import { platformEvent, scriptedOrg } from '../../../core/test/support/scripted-org.ts'
import { runs } from './fuzz-runs.ts'

const channels = ['/event/Order__e', '/data/AccountChangeEvent', '/topic/T?Name=1']
const reason = new Error('enough')

/** What calls refer to is named by number: the n-th subscription made so far, and so on around. */
interface Scene {
  client: StreamingClient
  subscriptions: Subscription[]
  iterators: AsyncIterator<StreamEvent>[]
  events: StreamEvent[]
  push(channel: string): void
  abort: AbortController
}

type Call = (scene: Scene) => unknown
const pick = <T>(list: readonly T[], at: number): T | undefined => list[at % Math.max(1, list.length)]

const index = fc.nat(3)
const channel = fc.oneof(
  { arbitrary: fc.constantFrom(...channels), weight: 9 },
  { arbitrary: fc.anything() as fc.Arbitrary<string>, weight: 1 },
)
const fitting: fc.Arbitrary<SubscribeOptions> = fc.record(
  {
    replay: fc.constantFrom<NonNullable<SubscribeOptions['replay']>>('stored', 'new', 'all', 'off', 7, '12345678901234567890'),
    maxBuffered: fc.constantFrom(0, 1, 1000),
    until: fc.constantFrom<NonNullable<SubscribeOptions['until']>>('caught-up', { maxEvents: 1 }, { maxMs: 5_000 }, { idleMs: 100 }),
    signal: fc.constant(AbortSignal.abort(reason)),
  },
  { requiredKeys: [] },
)
const options = fc.oneof(
  { arbitrary: fc.constant({}), weight: 5 },
  { arbitrary: fitting, weight: 3 },
  { arbitrary: fc.anything() as fc.Arbitrary<SubscribeOptions>, weight: 1 },
)

function named(name: string, call: Call): Call {
  return Object.assign(call, { [fc.toStringMethod]: () => name })
}
const on = (name: string, call: (subscription: Subscription) => unknown): fc.Arbitrary<Call> =>
  index.map((at) =>
    named(`${name} ${at}`, ({ subscriptions }) => {
      const subscription = pick(subscriptions, at)
      return subscription && call(subscription)
    }),
  )

/** Often what moves events, now and then what ends something, seldom what nobody should pass. */
const anyCall: fc.Arbitrary<Call> = fc.oneof(
  ...weighed(48, [
    fc.tuple(channel, options).map(([name, given]) =>
      named(`subscribe ${fc.stringify(name)} ${fc.stringify(given)}`, ({ client, subscriptions }) => {
        subscriptions.push(client.subscribe(name, given))
      }),
    ),
    index.map((at) =>
      named(`loop ${at}`, ({ subscriptions, iterators }) => {
        const subscription = pick(subscriptions, at)
        if (subscription) iterators.push(subscription[Symbol.asyncIterator]())
      }),
    ),
    fc.constantFrom(...channels).map((name) => named(`publish ${name}`, ({ push }) => push(name))),
    index.map((at) => named(`commit ${at}`, ({ events }) => pick(events, at)?.commit())),
  ]),
  ...weighed(144, [
    index.map((at) =>
      named(`next ${at}`, async ({ iterators, events }) => {
        const result = await pick(iterators, at)?.next()
        if (result && !result.done) events.push(result.value)
      }),
    ),
  ]),
  ...weighed(6, [
    fc.constant(named('start', ({ client }) => client.start())),
    fc.constant(named('events', ({ client, iterators }) => void iterators.push(client.events()))),
    on('close', (subscription) => subscription.close()),
    on('ready', (subscription) => subscription.ready),
    on('stats', (subscription) => void subscription.stats),
    on('process', (subscription) => subscription.process(() => {})),
    on('cancel a stream of', (subscription) => subscription.toReadableStream().cancel()),
    index.map((at) => named(`return ${at}`, ({ iterators }) => pick(iterators, at)?.return?.())),
    fc
      .oneof(fc.constantFrom<unknown>('/service/x', '/meta/connect', '/u/x'), fc.anything())
      .map((name) => named(`send to ${fc.stringify(name)}`, ({ client }) => client.send({ channel: name as string, data: 1 }))),
    fc
      .anything()
      .map((message) =>
        named(`send ${fc.stringify(message)}`, ({ client }) => client.send(message as BayeuxMessage & { channel: string })),
      ),
  ]),
  ...weighed(1, [
    fc.constant(named('stop', ({ client }) => client.stop())),
    fc.constant(named('askStop', ({ client }) => client.askStop())),
    channel.map((name) => named(`unsubscribe ${fc.stringify(name)}`, ({ client }) => client.unsubscribe(name))),
    fc.constant(named('abort', ({ abort }) => abort.abort(reason))),
  ]),
)

function weighed(weight: number, arbitraries: fc.Arbitrary<Call>[]): fc.MaybeWeightedArbitrary<Call>[] {
  return arbitraries.map((arbitrary) => ({ arbitrary, weight }))
}

const step = fc.tuple(anyCall, fc.constantFrom(0, 0, 60, 300, 1_000, 30_000))
/** `begun`: the loops that are there from the start. */
const settings = fc.record({
  begun: fc.nat(3),
  commit: fc.constantFrom('auto' as const, 'manual' as const),
  stored: fc.boolean(),
  seed: fc.nat(),
})

describe('whatever is called, in any order', () => {
  it('each call works or fails by a typed error, and after stop() nothing is left waiting', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), settings, async (steps, { begun, commit, stored, seed }) => {
        const clock = virtualClock({ seed })
        const org = scriptedOrg(clock.now)
        const abort = new AbortController()
        const client = createClient({
          auth: org.session,
          commit,
          replayStore: stored ? spyStore() : null,
          signal: abort.signal,
          platform: {
            now: clock.now,
            delay: clock.delay,
            random: clock.random,
            async fetch(input, init) {
              await new Promise<void>((resolve) => void clock.delay(resolve, 50))
              if (init?.signal?.aborted) throw init.signal.reason
              return org.fetch(input, init)
            },
          },
        })
        let id = 0
        const scene: Scene = {
          client,
          subscriptions: [],
          iterators: [],
          events: [],
          abort,
          push: (name) => org.push(platformEvent(++id, name)),
        }
        const waiting = new Set<Call>()
        const strange: unknown[] = []
        const judge = (error: unknown): void => {
          if (error !== reason && !(error instanceof SfStreamError && error.remediation)) strange.push(error)
        }
        for (const name of channels.slice(0, begun)) {
          const subscription = client.subscribe(name)
          scene.subscriptions.push(subscription)
          scene.iterators.push(subscription[Symbol.asyncIterator]())
        }
        await clock.advance(1_000)
        for (const [call, pauseMs] of steps) {
          try {
            const result = call(scene)
            if (result instanceof Promise) {
              const token: Call = named(fc.stringify(call), call.bind(undefined))
              waiting.add(token)
              result.catch(judge).finally(() => waiting.delete(token))
            }
          } catch (error) {
            judge(error)
          }
          if (pauseMs > 0) await clock.advance(pauseMs)
        }
        const stopped = client.stop().catch(judge)
        await clock.advance(5_000)
        await stopped
        for (const subscription of scene.subscriptions) subscription.close().catch(judge)
        await clock.settle()
        expect(strange, 'errors without a type').toEqual([])
        expect(
          [...waiting].map((call) => fc.stringify(call)),
          'calls that never settle',
        ).toEqual([])
        expect({ timers: clock.pending, held: org.held, state: client.state }).toEqual({ timers: 0, held: 0, state: 'stopped' })
      }),
      runs(800),
    )
  })
})
