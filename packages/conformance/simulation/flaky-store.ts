import type { ReplayPosition, ReplayStore } from '@sfstream/core'
import type { VirtualClock } from '@sfstream/mock-org'
import type { History } from './history.ts'
import type { Random } from './random.ts'
import type { VirtualProcess } from './virtual-process.ts'

/** A store that outlives its programs, and can be slow, fail, or not answer. A save under way when its program dies may land. */
export interface FlakyStore {
  of(process: VirtualProcess): ReplayStore
  readonly durable: ReadonlyMap<string, ReplayPosition>
  how: 'well' | 'slow' | 'failing' | 'hanging'
}

export interface FlakyStoreParts {
  clock: VirtualClock
  random: Random
  history: History
  latencyMs: number
  commitEveryMs: number
}

export function flakyStore({ clock, random, history, latencyMs, commitEveryMs }: FlakyStoreParts): FlakyStore {
  const durable = new Map<string, ReplayPosition>()

  const access = <T>(process: VirtualProcess, channel: string, work: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      if (!process.touch()) return
      const before = durable.get(channel)
      const fails = self.how === 'failing' && random.chance(0.8)
      if (self.how === 'hanging' && random.chance(0.5)) return
      const ms = self.how === 'slow' ? random.below(15_000) : latencyMs === 0 ? 0 : random.below(latencyMs)
      const settle = (): void => {
        // A disk finishes what it has begun, whether its program lives or not; sometimes it had not begun.
        if (process.dead && (random.chance(0.5) || durable.get(channel) !== before)) return
        if (fails) return process.arrive(() => reject(new Error('the disk is full')))
        const result = work()
        process.arrive(() => resolve(result))
      }
      if (ms === 0) settle()
      else clock.delay(settle, ms)
    })

  const self: FlakyStore = {
    durable,
    how: 'well',
    of: (process) => ({
      commitEveryMs,
      load: (key) =>
        access(process, key.channel, () => {
          const position = durable.get(key.channel)
          history.loaded(process, key.channel, position)
          return position
        }),
      save: (key, position) => {
        history.saving(process, key.channel, position)
        return access(process, key.channel, () => void durable.set(key.channel, position))
      },
    }),
  }
  return self
}
