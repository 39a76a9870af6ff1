import type { VirtualClock } from '@sfstream/mock-org'
import type { TabPorts } from '../src/shared-tabs/tab-ports.ts'

/** The tabs of one origin, without a browser: their messages take a moment, and a tab can crash or be frozen. */
export interface TabWorld {
  open(): Tab
}

export interface Tab {
  ports: TabPorts
  /** Ends it without a word: its locks are let go, and what it would still say is not heard. */
  crash(): void
  /** Nothing of it runs from now on; what it would have heard comes when it is thawed. */
  freeze(): void
  thaw(): void
  /** Time and network of a page: they stand still with it. */
  readonly delay: VirtualClock['delay']
  fetch(fetch: typeof globalThis.fetch): typeof globalThis.fetch
  /** Takes a lock away from whoever holds it. */
  steal(name: string): () => void
  /** Says something that no tab of ours would. */
  say(name: string, message: unknown): void
  /** Nothing is held, nothing is joined. */
  readonly isClean: boolean
}

/** `latencyMs`: how long a message takes to one tab; those of one tab never overtake one another on their way to another. */
export function tabWorld(clock: VirtualClock, latencyMs: () => number = () => 1): TabWorld {
  const joined = new Map<string, Set<(message: unknown) => void>>()
  const locks = new Map<string, { holder: object; waiting: { who: object; grant(): void }[] }>()

  const stolen = new Map<string, () => void>()
  const keys = new Map<object, number>()
  const key = (who: object): number => {
    keys.set(who, keys.get(who) ?? keys.size)
    return keys.get(who) as number
  }
  const release = (name: string, who: object): void => {
    const lock = locks.get(name)
    if (!lock) return
    lock.waiting = lock.waiting.filter((each) => each.who !== who)
    if (lock.holder !== who) return
    const next = lock.waiting.shift()
    if (!next) return void locks.delete(name)
    lock.holder = next.who
    next.grant()
  }

  return {
    open() {
      const who = {}
      let isDead = false
      let isFrozen = false
      const held = new Set<string>()
      const missed: (() => void)[] = []
      const receivers = new Set<() => void>()
      const whenAwake = (act: () => void): void => {
        if (isFrozen) missed.push(act)
        else if (!isDead) act()
      }
      /** Takes a lock from its holder. */
      const take = (name: string): boolean => {
        const lock = locks.get(name)
        if (!lock) return false
        const from = lock.holder
        lock.holder = who
        clock.delay(() => stolen.get(`${name} ${key(from)}`)?.(), 1)
        return true
      }
      const ports: TabPorts = {
        join(name, receive) {
          const all = joined.get(name) ?? new Set()
          joined.set(name, all)
          const hear = (message: unknown): void => {
            whenAwake(() => {
              if (all.has(hear)) receive(message)
            })
          }
          all.add(hear)
          const leave = (): void => {
            all.delete(hear)
            receivers.delete(leave)
          }
          receivers.add(leave)
          const arrivals = new WeakMap<object, number>()
          return {
            post(message) {
              if (isDead || !all.has(hear)) return
              const copy = structuredClone(message)
              for (const other of all) {
                if (other === hear) continue
                const at = Math.max(clock.now() + latencyMs(), arrivals.get(other) ?? 0)
                arrivals.set(other, at)
                clock.delay(() => other(structuredClone(copy)), at - clock.now())
              }
            },
            close: leave,
          }
        },
        lock: (name, signal, lost, steal = false) =>
          new Promise((resolve, reject) => {
            if (signal.aborted) return reject(signal.reason)
            const grant = (): void => {
              held.add(name)
              stolen.set(`${name} ${key(who)}`, () =>
                whenAwake(() => {
                  held.delete(name)
                  lost()
                }),
              )
              clock.delay(() => whenAwake(resolve), 1)
            }
            signal.addEventListener('abort', () => {
              held.delete(name)
              release(name, who)
              reject(signal.reason)
            })
            const lock = locks.get(name)
            if (lock && steal) {
              take(name)
              grant()
            } else if (lock) lock.waiting.push({ who, grant })
            else {
              locks.set(name, { holder: who, waiting: [] })
              grant()
            }
          }),
        held: async () => new Set(locks.keys()),
      }
      return {
        ports,
        get isClean() {
          return held.size === 0 && receivers.size === 0
        },
        crash() {
          isDead = true
          for (const leave of [...receivers]) leave()
          for (const name of [...locks.keys()]) release(name, who)
        },
        steal(name) {
          return take(name) ? () => release(name, who) : () => {}
        },
        say(name, message) {
          for (const hear of [...(joined.get(name) ?? [])]) hear(structuredClone(message))
        },
        delay: (callback, ms) => {
          let isCancelled = false
          const cancel = clock.delay(() => {
            whenAwake(() => {
              if (!isCancelled) callback()
            })
          }, ms)
          return () => {
            isCancelled = true
            cancel()
          }
        },
        fetch: (fetch) => async (input, init) => {
          const response = await fetch(input, init).then(
            (answer) => () => answer,
            (error: unknown) => () => {
              throw error
            },
          )
          await new Promise<void>((resolve) => whenAwake(resolve))
          return response()
        },
        freeze() {
          isFrozen = true
        },
        thaw() {
          isFrozen = false
          for (const act of missed.splice(0)) act()
        },
      }
    },
  }
}
