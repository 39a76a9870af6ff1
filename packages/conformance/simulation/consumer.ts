import { SfStreamError, type StreamEvent, type StreamingClient, type Subscription } from '@sfstream/core'
import type { Mood } from './action.ts'
import type { ChannelRecord } from './channel-record.ts'
import { type History, markOf } from './history.ts'
import type { ChannelSettings, Settings } from './plan.ts'
import type { Random } from './random.ts'
import type { Run } from './run-record.ts'
import type { VirtualProcess } from './virtual-process.ts'

/** How the consumers of a run behave at the moment; outlives its programs. */
export interface Moods {
  of(channel: string): Mood
  set(channel: string, mood: Mood): void
  /** Everybody is quick and faultless, and whoever hung goes on. */
  heal(): void
  /** Resolves when consumers that hang may go on. */
  released(): Promise<void>
}

export function moods(): Moods {
  const now = new Map<string, Mood>()
  let release = (): void => {}
  const hung = new Promise<void>((resolve) => {
    release = resolve
  })
  return {
    of: (channel) => now.get(channel) ?? 'fast',
    set: (channel, mood) => void now.set(channel, mood),
    heal() {
      now.clear()
      release()
    },
    released: () => hung,
  }
}

export interface ConsumerParts {
  process: VirtualProcess
  client: StreamingClient
  settings: Settings
  history: History
  moods: Moods
  random: Random
  /** A subscription ended with this; it is subscribed again after a while, as a caller would. */
  failed(error: unknown): void
}

class Thrown extends Error {}

/** A program's consumers: one for each channel, or one for all. They go on until the client is stopped. */
export function consumers(parts: ConsumerParts): { done: Promise<unknown>; subscriptions: ReadonlyMap<string, Subscription> } {
  const subscriptions = new Map<string, Subscription>()
  const { settings } = parts
  const done = settings.merged
    ? merged(parts, subscriptions)
    : Promise.all(settings.channels.map((channel) => single(parts, channel, subscriptions)))
  return { done, subscriptions }
}

async function single(parts: ConsumerParts, of: ChannelSettings, subscriptions: Map<string, Subscription>): Promise<void> {
  const { process, client, history } = parts
  while (!process.dead) {
    const run = history.run(
      process,
      of.channel,
      of.consumer.kind === 'process' && of.consumer.concurrency > 1 && of.consumer.keys ? 'none' : 'strict',
    )
    let subscription: Subscription | undefined
    try {
      subscription = client.subscribe(of.channel, { maxBuffered: of.maxBuffered })
      subscriptions.set(of.channel, subscription)
      subscription.ready.then(run.accepted, () => {})
      const left = of.consumer.kind === 'loop' ? await loop(parts, of, run, subscription) : await handlers(parts, of, run, subscription)
      if (!left) return
    } catch (error) {
      if (process.dead) return
      if (!(error instanceof Thrown)) await callersTurn(parts, error)
    }
    await subscription?.close().catch(() => {})
    await process.pause(1_000)
  }
}

/** @returns whether the loop was left by itself. */
async function loop(parts: ConsumerParts, of: ChannelSettings, run: Run, subscription: Subscription): Promise<boolean> {
  const { process, random, moods } = parts
  const committer = laterCommits(parts, run)
  for await (const event of subscription) {
    if (process.dead) return false
    run.handed(markOf(event))
    await work(parts, of, run, event)
    const breaks = moods.of(of.channel) === 'breaking' && random.chance(0.2)
    if (parts.settings.commit === 'manual') committer.handled(event)
    else if (!breaks) run.finished(markOf(event))
    if (breaks) return true
  }
  return false
}

async function handlers(parts: ConsumerParts, of: ChannelSettings, run: Run, subscription: Subscription): Promise<boolean> {
  if (of.consumer.kind !== 'process') return false
  const { concurrency, keys } = of.consumer
  const busy = new Set<string>()
  const keyOf = (event: StreamEvent): string => String(Number(markOf(event).slice(1)) % (keys ?? 1))
  const lastOfKey = new Map<string, { number: number; gaps: number }>()
  const committer = laterCommits(parts, run)
  let running = 0
  await subscription.process(
    async (event) => {
      const mark = markOf(event)
      run.handed(mark)
      if (++running > concurrency) parts.history.violate(`${of.channel}: ${running} handlers at once, ${concurrency} allowed`)
      const key = keyOf(event)
      if (keys !== undefined) {
        if (busy.has(key)) parts.history.violate(`${of.channel}: two handlers of one key at once`)
        busy.add(key)
        const { gaps, mayComeTwice } = parts.history.channels.get(of.channel) as ChannelRecord
        const [number, last] = [Number(mark.slice(1)), lastOfKey.get(key)]
        if (last && last.number > number && /^e\d/.test(mark) && last.gaps === gaps && !mayComeTwice(mark)) {
          parts.history.violate(`${of.channel}: ${mark} was handled after e${last.number}, which has its key`)
        }
        lastOfKey.set(key, { number, gaps })
      }
      try {
        await work(parts, of, run, event)
        if (parts.settings.commit === 'manual') committer.handled(event)
        else run.finished(mark)
      } finally {
        running--
        busy.delete(key)
      }
    },
    { concurrency, ...(keys === undefined ? {} : { orderBy: keyOf }) },
  )
  return false
}

async function merged(parts: ConsumerParts, subscriptions: Map<string, Subscription>): Promise<void> {
  const { process, client, settings, history, random, moods } = parts
  const runs = new Map<string, Run>()
  const wanted = settings.channels
  const subscribe = (): void => {
    for (const { channel, maxBuffered } of wanted) {
      if (subscriptions.has(channel)) continue
      const run = history.run(process, channel, 'strict')
      runs.set(channel, run)
      const subscription = client.subscribe(channel, { maxBuffered })
      subscriptions.set(channel, subscription)
      subscription.ready.then(run.accepted, () => {})
    }
  }
  const committers = new Map<string, ReturnType<typeof laterCommits>>()
  while (!process.dead) {
    try {
      subscribe()
      let left = false
      for await (const event of client.events()) {
        if (process.dead) return
        const run = runs.get(event.channel) as Run
        const of = wanted.find(({ channel }) => channel === event.channel) as ChannelSettings
        const committer = committers.get(event.channel) ?? laterCommits(parts, run)
        committers.set(event.channel, committer)
        run.handed(markOf(event))
        try {
          await work(parts, of, run, event)
        } catch (error) {
          run.returned(markOf(event))
          throw error
        }
        left = moods.of(event.channel) === 'breaking' && random.chance(0.2)
        const finished = settings.commit === 'manual' ? committer.handled(event) : !left
        if (finished) run.finished(markOf(event))
        if (left) {
          // In hand and not finished, it comes again.
          if (!finished) run.returned(markOf(event))
          break
        }
      }
      if (!left) return
    } catch (error) {
      if (process.dead) return
      if (!(error instanceof Thrown)) {
        for (const { channel } of wanted) {
          await subscriptions
            .get(channel)
            ?.close()
            .catch(() => {})
          subscriptions.delete(channel)
          committers.delete(channel)
        }
        await callersTurn(parts, error)
      }
    }
    await process.pause(1_000)
  }
}

async function work({ process, moods, random }: ConsumerParts, of: ChannelSettings, run: Run, event: StreamEvent): Promise<void> {
  if (of.workMs > 0) await process.pause(random.below(of.workMs))
  switch (moods.of(of.channel)) {
    case 'slow':
      await process.pause(random.below(40_000))
      break
    case 'throwing':
      if (random.chance(0.2)) throw new Thrown('the handler failed')
      break
    case 'hung':
      await moods.released()
      // What comes back from a promise of the test's own has to find its program alive.
      await process.pause(0)
      break
    case 'breaking':
    case 'fast':
      break
  }
  run.handled(markOf(event))
}

/** With manual commits: some at once, others later and out of order; all of them when everything is well again. */
function laterCommits(
  { process, moods, random }: ConsumerParts,
  run: Run,
): { /** Whether it was committed at once. */ handled(event: StreamEvent): boolean } {
  const commit = (event: StreamEvent): void => {
    if (process.dead) return
    run.finished(markOf(event))
    event.commit().catch(() => {})
  }
  return {
    handled(event) {
      if (random.chance(0.6)) {
        commit(event)
        return true
      }
      if (random.chance(0.3)) {
        void moods
          .released()
          .then(() => process.pause(0))
          .then(() => commit(event))
      } else process.delay(() => commit(event), random.below(20_000))
      return false
    },
  }
}

/** The iterator has rejected: whoever holds it waits, and tries again. */
async function callersTurn({ process, client, history, failed }: ConsumerParts, error: unknown): Promise<void> {
  history.trace(() => `#${process.number} rejected: ${String(error)}`)
  if (!(error instanceof SfStreamError)) history.violate(`an iterator rejected with ${String(error)}, which has no code`)
  else
    history.leaked(
      `${error.stack} ${error.message} ${error.remediation} ${JSON.stringify(error.server ?? {})} ${String(error.cause)}`,
      'an error',
    )
  failed(error)
  await process.pause(20_000)
  client.start().catch(() => {})
}
