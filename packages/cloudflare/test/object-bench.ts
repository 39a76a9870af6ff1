import { createMockOrg, type MockOrg, type VirtualClock, virtualClock } from '@sfstream/mock-org'
import { createClient, type ObjectState, RelayObject, type ReplayStore, type StreamEvent, type StreamingClient } from '../src/index.ts'

export const channel = '/event/Order_Event__e'

/** A Durable Object's storage, which outlives the objects over it. */
export interface ObjectBench {
  clock: VirtualClock
  org: MockOrg
  state: ObjectState
  /** When it is to be woken, in ms from now. */
  alarms: number[]
  /** Makes each call of a name fail for as long as it is in here. */
  broken: Set<string>
  /** An object over the storage: another one is what comes after an eviction. */
  make(handle?: (event: StreamEvent) => unknown): TestObject
  publish(count: number): void
}

export interface TestObject extends RelayObject {
  readonly made: StreamingClient[]
}

export function objectBench(): ObjectBench {
  const clock = virtualClock()
  const org = createMockOrg({ clock })
  const platform = { fetch: org.fetch, now: clock.now, delay: clock.delay, random: clock.random }
  const items = new Map<string, unknown>()
  const alarms: number[] = []
  const broken = new Set<string>()
  const call = (name: string): void => {
    if (broken.has(name)) throw new Error(`${name} failed`)
  }
  const state: ObjectState = {
    storage: {
      async get(key) {
        call('get')
        return items.get(key)
      },
      async put(key, value) {
        call('put')
        items.set(key, value)
      },
      async delete(key) {
        call('delete')
        return items.delete(key)
      },
      async list({ prefix }) {
        call('list')
        return new Map([...items].filter(([key]) => key.startsWith(prefix)))
      },
      async setAlarm(at) {
        call('setAlarm')
        alarms.push(at - Date.now())
      },
      async deleteAlarm() {
        call('deleteAlarm')
      },
    },
  }
  let number = 0
  return {
    clock,
    org,
    state,
    alarms,
    broken,
    publish(count) {
      for (let each = 0; each < count; each++) org.publish(channel, { Number__c: ++number })
    },
    make(handle = () => {}) {
      class Live extends RelayObject {
        readonly made: StreamingClient[] = []
        protected readonly channels = [channel]
        protected override readonly relayOptions = { platform }
        protected connect(replayStore: ReplayStore): StreamingClient {
          const client = createClient({ auth: org.session(), replayStore, platform })
          this.made.push(client)
          return client
        }
        protected authorize(): boolean {
          return true
        }
        protected override handle(event: StreamEvent): unknown {
          return handle(event)
        }
      }
      return new Live(state, {})
    },
  }
}

/** Reads the object's stream for as long as it lasts. */
export function follow(response: Response): { text: string; done: boolean } {
  const seen = { text: '', done: false }
  const decoder = new TextDecoder()
  const reader = response.body!.getReader()
  const run = async (): Promise<void> => {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) seen.text += decoder.decode(piece.value)
    seen.done = true
  }
  void run().catch(() => {})
  return seen
}
