import type { Batch, BayeuxMessage, OpenRequest, Source, SourceObserver } from '../../src/index.ts'

/** One opening of a channel, as the layer above asked for it; the test plays the org. */
export interface OpenedFeed {
  readonly request: OpenRequest
  readonly closed: boolean
  accept(): void
  refuse(error: unknown): void
  /** One reply with these events. */
  reply(messages: readonly BayeuxMessage[], options?: { complete?: boolean; bytesEach?: number }): void
  /** The session is lost: the channel is to be opened again. */
  lose(): void
  fail(error: unknown): void
}

/** A Source that does what a test says. Accepts every feed at once unless `manual`. */
export interface ScriptedSource extends Source {
  readonly feeds: OpenedFeed[]
  /** The feed opened last. */
  readonly feed: OpenedFeed
  /** Feeds that are open now. */
  readonly openFeeds: readonly OpenedFeed[]
  readonly holds: number
  readonly stops: number
  manual: boolean
  orgName: string | Promise<string>
  isLive: boolean
  observer: SourceObserver | undefined
}

export function scriptedSource(): ScriptedSource {
  const feeds: OpenedFeed[] = []
  let holds = 0
  let stops = 0
  const source: ScriptedSource = {
    feeds,
    get feed() {
      const last = feeds.at(-1)
      if (!last) throw new Error('no feed has been opened')
      return last
    },
    get openFeeds() {
      return feeds.filter((feed) => !feed.closed)
    },
    get holds() {
      return holds
    },
    get stops() {
      return stops
    },
    manual: false,
    orgName: '00D000000000001',
    isLive: true,
    observer: undefined,
    endpoint: new URL('https://acme.my.salesforce.com/cometd/66.0/'),
    get live() {
      return source.isLive
    },
    start: () => Promise.resolve(),
    org: () => Promise.resolve(source.orgName),
    open(request) {
      const feed = openedFeed(request)
      feeds.push(feed)
      if (!source.manual) feed.accept()
      return feed.feed
    },
    hold() {
      holds++
      let held = true
      return () => {
        if (held) holds--
        held = false
      }
    },
    send: () => Promise.resolve([]),
    observe(observer) {
      source.observer = observer
      return () => {
        source.observer = undefined
      }
    },
    stop() {
      stops++
      return Promise.resolve()
    },
  }
  return source
}

type Step = { value: Batch } | { error: unknown } | 'end'

function openedFeed(request: OpenRequest): OpenedFeed & { feed: ReturnType<Source['open']> } {
  const steps: Step[] = []
  let wake = (): void => {}
  let closed = false
  let settle: { resolve(ok: boolean): void; reject(error: unknown): void } | undefined
  const accepted = new Promise<boolean>((resolve, reject) => {
    settle = { resolve, reject }
  })
  accepted.catch(() => {})
  const add = (step: Step): void => {
    if (closed) return
    steps.push(step)
    if (step === 'end' || 'error' in step) {
      closed = true
      request.signal.removeEventListener('abort', end)
    }
    wake()
  }
  const end = (): void => {
    settle?.resolve(false)
    add('end')
  }
  request.signal.addEventListener('abort', end, { once: true })
  async function* batches(): AsyncGenerator<Batch> {
    for (;;) {
      const step = steps.shift()
      if (step === 'end') return
      if (step && 'error' in step) throw step.error
      if (step) yield step.value
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  }
  return {
    request,
    get closed() {
      return closed
    },
    accept: () => settle?.resolve(true),
    refuse(error) {
      settle?.reject(error)
      add({ error })
    },
    reply: (messages, { complete = true, bytesEach = 100 } = {}) => add({ value: { messages, complete, bytesEach } }),
    lose: end,
    fail: (error) => add({ error }),
    feed: { accepted, batches: batches() },
  }
}
