import { type ErrorCode, type ReplayStore, SfStreamError, StateError, type StreamEvent, type StreamingClient } from '@sfstream/core'
import { durableObjectReplayStore, type ObjectStorage } from './durable-object-replay-store.ts'
import { startingAt } from './starting-at.ts'

/** The part of `DurableObjectState` that is used. */
export interface ObjectState {
  readonly storage: ObjectStorage & {
    setAlarm(at: number): Promise<void>
    deleteAlarm(): Promise<void>
  }
}

/** What is kept across evictions. */
interface Intent {
  wanted: boolean
  /** Runs in a row that ended with an error and had handled nothing. */
  failures: number
}

/** What `GET /status` answers. */
export interface ObjectStatus {
  wanted: boolean
  running: boolean
  state: string
  handled: number
  failures: number
  /** Why the loop ended last, and the first thing to do. */
  error?: string
  code?: ErrorCode
  remediation?: string
}

const intentKey = 'sfstream-object'
/** Doubled with each failure: a login that cannot work must not be tried twice a minute for ever. */
const maxPauseMs = 3_600_000

/**
 * A Durable Object that holds subscriptions: extend it, bind it, and `POST /start` to it once. There is one object of a name in the
 * world, and so one session with the org.
 *
 * It may be evicted at any moment. An alarm every 25 s starts its loop again, and the loop goes on after the last event whose
 * `handle` had resolved: at least once, in order. While the loop runs the object stays in memory and is billed for it; `drain` is for
 * those who can wait.
 *
 * Requests: `POST /start`, `POST /stop`, and `GET /status` (JSON). Whoever can reach the object can ask these: route to it what you
 * mean to. A plain class, so that bundles without it need no `cloudflare:workers`.
 */
export abstract class StreamingObject<Env = unknown> {
  protected readonly ctx: ObjectState
  protected readonly env: Env
  /** How often the loop is looked after; a Worker's alarms are good to about a second. */
  protected readonly everyMs: number = 25_000
  /** Where a channel begins that has no position yet. 'all': so that nothing is lost when the object is evicted before its first event. */
  protected readonly begin: 'all' | 'new' = 'all'
  #client: StreamingClient | undefined
  #error: unknown
  #handled = 0
  #turn: Promise<unknown> = Promise.resolve()

  constructor(ctx: ObjectState, env: Env) {
    this.ctx = ctx
    this.env = env
  }

  /** The channels to hold. */
  protected abstract readonly channels: readonly string[]
  /** Makes the client, with this store: `createClient({ auth: …, replayStore })`. */
  protected abstract connect(replayStore: ReplayStore): StreamingClient
  /** Called for each event in order, one at a time in each channel. When it rejects, the event comes again with the next alarm. */
  protected abstract handle(event: StreamEvent): unknown

  /** The client of the loop that runs now. */
  protected get client(): StreamingClient | undefined {
    return this.#client
  }

  /** Holds the subscriptions from now on, across evictions. */
  async start(): Promise<void> {
    await this.#inTurn(async () => {
      // First: what is evicted between the two is woken for nothing, rather than never.
      await this.#wakeIn(this.everyMs)
      await this.#intend({ wanted: true, failures: 0 })
      if (this.#client === undefined) this.#run()
    })
    await this.keep(false)
  }

  /** Finishes what is in hand and lets go. */
  async stop(): Promise<void> {
    const client = await this.#inTurn(async () => {
      await this.#intend({ wanted: false, failures: 0 })
      const current = this.#client
      this.#client = undefined
      // One that is left finds that nothing is wanted.
      await this.ctx.storage.deleteAlarm().catch(() => {})
      return current
    })
    await client?.stop()
  }

  async status(): Promise<ObjectStatus> {
    const { wanted, failures } = await this.#intent()
    return {
      wanted,
      running: this.#client !== undefined,
      state: this.#client?.state ?? 'idle',
      handled: this.#handled,
      failures,
      ...(this.#error === undefined ? {} : { error: String(this.#error) }),
      ...(this.#error instanceof SfStreamError ? { code: this.#error.code, remediation: this.#error.remediation } : {}),
    }
  }

  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    const route = `${request.method} ${pathname}`
    if (route === 'POST /start') await this.start()
    else if (route === 'POST /stop') await this.stop()
    else if (route === 'GET /status') await this.keep(false)
    else return Response.json({ error: `${route} is not one of POST /start, POST /stop, GET /status` }, { status: 404 })
    return Response.json(await this.status())
  }

  async alarm(): Promise<void> {
    try {
      await this.keep()
    } catch (error) {
      // The runtime calls an alarm that failed again, but not for ever.
      await this.#wakeIn(this.everyMs)
      throw error
    }
  }

  /** Sees to it that the loop runs if it is wanted, and, when it is due, that it is looked after again. */
  protected async keep(isDue = true): Promise<void> {
    await this.#inTurn(async () => {
      const { wanted, failures } = await this.#intent()
      if (!wanted) return
      // A failed loop waits for its alarm.
      const begins = (): boolean => this.#client === undefined && (isDue || failures === 0)
      try {
        // First: whatever happens, it is looked after again. Where this fails, the runtime calls the alarm again.
        if (isDue || begins()) await this.#wakeIn(this.everyMs)
      } finally {
        if (begins()) this.#run()
      }
    })
  }

  /** One change at a time of what is wanted, of the alarm and of the loop: each waits for storage, and the last one asked for counts. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#turn.then(change)
    this.#turn = changed.catch(() => {})
    return changed
  }

  #run(): void {
    const before = this.#handled
    let client: StreamingClient | undefined
    const run = async (): Promise<void> => {
      this.#check()
      client = this.connect(startingAt(this.begin, durableObjectReplayStore(this.ctx.storage)))
      this.#client = client
      await Promise.all(this.channels.map((channel) => this.#work(client!, channel)))
    }
    /** Whether it was the loop that runs now: it may have been stopped, or begun anew, meanwhile. */
    const left = (): boolean => {
      const isCurrent = this.#client === client
      if (isCurrent) this.#client = undefined
      return isCurrent
    }
    const fail = async (error: unknown): Promise<void> => {
      await client?.stop().catch(() => {})
      await this.#inTurn(async () => {
        if (!left()) return
        this.#error = error
        const { wanted, failures } = await this.#intent()
        if (!wanted) return
        const again = this.#handled > before ? 1 : failures + 1
        await this.#intend({ wanted, failures: again })
        await this.#wakeIn(Math.min(maxPauseMs, this.everyMs * 2 ** (again - 1)))
      })
    }
    const end = async (): Promise<void> => {
      await client?.stop().catch(() => {})
      left()
    }
    // What storage does not take is left to the alarm that was set before.
    run()
      .then(end, fail)
      .catch(() => {})
  }

  /** What TypeScript would have told. @throws StateError `bad_option` */
  #check(): void {
    const isComplete = typeof this.connect === 'function' && typeof this.handle === 'function'
    if (isComplete && Array.isArray(this.channels) && this.channels.length > 0) return
    throw new StateError({
      code: 'bad_option',
      message: `${this.constructor.name}: ${isComplete ? 'channels is no list of channels' : 'connect() or handle() is missing'}.`,
      remediation: "Give the class `channels = ['/event/Order__e']`, connect(replayStore) and handle(event).",
    })
  }

  #work(client: StreamingClient, channel: string): Promise<void> {
    return client.subscribe(channel).process(async (event) => {
      await this.handle(event)
      this.#handled++
    })
  }

  async #intent(): Promise<Intent> {
    const text = await this.ctx.storage.get(intentKey)
    return typeof text === 'string' ? (JSON.parse(text) as Intent) : { wanted: false, failures: 0 }
  }

  async #intend(intent: Intent): Promise<void> {
    await this.ctx.storage.put(intentKey, JSON.stringify(intent))
  }

  async #wakeIn(ms: number): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + ms)
  }
}
