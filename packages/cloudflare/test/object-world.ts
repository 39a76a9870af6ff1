import { createMockOrg, type MockOrg, type VirtualClock, virtualClock } from '@sfstream/mock-org'
import { createClient, type ObjectState, type ReplayStore, type StreamEvent, type StreamingClient, StreamingObject } from '../src/index.ts'

export const channels = ['/event/Order_Event__e', '/event/Other_Event__e'] as const

/** A runtime around one Durable Object: it evicts it, fires its alarm, and calls an alarm that fails again, but not for ever. */
export interface ObjectWorld {
  clock: VirtualClock
  org: MockOrg
  object: StreamingObject
  readonly wanted: boolean
  /** Names of storage calls that fail for as long as they are in here. */
  broken: Set<string>
  handler: { slowMs: number; failures: number }
  /** Each channel's numbers, as handled. */
  handled: Record<string, number[]>
  /** Stored positions that passed an event not handled yet. */
  problems: string[]
  evict(): void
  publish(): void
  /** Everything published has been handled. */
  isDone(): boolean
}

const retries = 6
const never = new Promise<never>(() => {})

/** `latency` is asked for each answer of the storage; what was written counts before it. */
export function objectWorld(latency: () => number): ObjectWorld {
  const clock = virtualClock()
  const org = createMockOrg({ clock })
  org.define(channels[1])
  const items = new Map<string, string>()
  const published: Record<string, { number: number; replayId: number }[]> = Object.fromEntries(channels.map((channel) => [channel, []]))
  let count = 0
  let life = 0
  let cancelAlarm: (() => void) | undefined
  let died = (): void => {}
  let death: Promise<never>

  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.delay(resolve, ms))
  const fire = async (): Promise<void> => {
    cancelAlarm = undefined
    for (let attempt = 0; attempt <= retries; attempt++) {
      const isWell = await Promise.race([world.object.alarm(), death]).then(
        () => true,
        () => false,
      )
      if (isWell || cancelAlarm) return
      await sleep(2_000 * 2 ** attempt)
      if (cancelAlarm) return
    }
  }
  const checkPosition = (text: string): void => {
    const { channel, replayId } = JSON.parse(text) as { channel: string; replayId: number }
    const events = published[channel] ?? []
    const at = events.findIndex((event) => event.replayId === Number(replayId))
    if (at < 0) world.problems.push(`${replayId} of ${channel} is nobody's`)
    for (const { number } of events.slice(0, at + 1))
      if (!world.handled[channel]?.includes(number)) world.problems.push(`${replayId} passes ${number} of ${channel}`)
  }

  const born = (): StreamingObject => {
    const mine = ++life
    death = new Promise((_, reject) => {
      died = () => reject(new Error('evicted'))
    })
    death.catch(() => {})
    const isDead = (): boolean => mine !== life
    const alive = async <T>(result: T): Promise<T> => (isDead() ? never : result)
    const call = async <T>(name: string, work: () => T): Promise<T> => {
      await alive(undefined)
      const isBroken = world.broken.has(name)
      const result = isBroken ? undefined : work()
      await sleep(latency())
      await alive(undefined)
      if (isBroken) throw new Error(`${name} failed`)
      return result as T
    }
    const storage: ObjectState['storage'] = {
      get: (key) => call('get', () => items.get(key)),
      put: (key, value) =>
        call('put', () => {
          items.set(key, value)
          if (key.startsWith('sfstream:')) checkPosition(value)
        }),
      delete: (key) => call('delete', () => items.delete(key)),
      list: ({ prefix }) => call('list', () => new Map([...items].filter(([key]) => key.startsWith(prefix)))),
      setAlarm: (at) =>
        call('setAlarm', () => {
          cancelAlarm?.()
          cancelAlarm = clock.delay(() => void fire(), Math.max(0, at - Date.now()))
        }),
      deleteAlarm: () =>
        call('deleteAlarm', () => {
          cancelAlarm?.()
          cancelAlarm = undefined
        }),
    }
    const platform = {
      fetch: async (input: string | URL, init?: RequestInit) => alive(await org.fetch(await alive(input), init)),
      now: clock.now,
      delay: (callback: () => void, ms: number) => clock.delay(() => void (isDead() || callback()), ms),
      random: clock.random,
    }
    class Living extends StreamingObject {
      protected readonly channels = channels
      protected connect(replayStore: ReplayStore): StreamingClient {
        return createClient({ auth: org.session(), replayStore, platform })
      }
      protected async handle({ channel, payload }: StreamEvent): Promise<void> {
        await sleep(world.handler.slowMs)
        await alive(undefined)
        if (world.handler.failures > 0) {
          world.handler.failures--
          throw new Error('the database is away')
        }
        world.handled[channel]?.push((payload as { Number__c: number }).Number__c)
      }
    }
    return new Living({ storage }, {})
  }

  const world: ObjectWorld = {
    clock,
    org,
    object: born(),
    get wanted() {
      return Boolean((JSON.parse(items.get('sfstream-object') ?? '{}') as { wanted?: boolean }).wanted)
    },
    broken: new Set(),
    handler: { slowMs: 0, failures: 0 },
    handled: Object.fromEntries(channels.map((channel) => [channel, []])),
    problems: [],
    evict() {
      died()
      world.object = born()
    },
    publish() {
      for (const channel of channels) {
        const number = ++count
        published[channel]?.push({ number, replayId: Number(org.publish(channel, { Number__c: number }).replayId) })
      }
    },
    isDone: () => channels.every((channel) => published[channel]?.every(({ number }) => world.handled[channel]?.includes(number))),
  }
  return world
}
