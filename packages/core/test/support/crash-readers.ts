import type { SfStreamError, StreamEvent } from '../../src/index.ts'
import { ByUser, channels, type Entry, type Reader, type Run, type World } from './crash-world.ts'

/** What programs do with subscriptions: all that the API allows, and what bodies, handlers and schemas may do. */
export function crashReaders(world: World): { subscribe(run: Run, channel?: string): void; all(run: Run): void } {
  const { state, violate, trace, pick, oneOf, wait, logOf, entryOf, maybeCrash, owe } = world
  const both = (then: () => void): [() => void, () => void] => [then, then]

  const hand = (reader: Reader, event: StreamEvent): void => {
    const entry = entryOf(event)
    const { org: of } = event.payload as { org: string }
    const { last } = reader
    trace(`${reader.name} is handed ${of} ${entry.at} (${entry.id})`)
    const lastOrg = last && (last.message.data as { payload: { org: string } }).payload.org
    if (last && lastOrg === of && reader.ordered) {
      const log = logOf(of, reader.channel)
      const left = log.slice(last.at + 1, entry.at).filter(({ finished, at }) => !finished && !reader.had.has(at))
      // Told again what came before it began, one that shares the channel may be handed that.
      if (left.length > 0 && (reader.keeper || !reader.excused)) violate(`${reader.name}: ${entry.at} after ${last.at}`)
      const givenBack = reader.style === 'events()' && entry.at === last.at
      if (entry.at <= last.at && !entry.nameless && !reader.excused && !givenBack)
        violate(`${reader.name}: ${entry.at} again after ${last.at}`)
    }
    reader.last = entry
    // Known by its uuid, it does not come again, not even where positions were of no use.
    reader.had.add(entry.at)
  }
  const finish = (reader: Reader, event: StreamEvent): void => {
    if (reader.run.dead) return
    // Left by its loop, what was in hand is not finished any more.
    if (reader.style === 'loop' && !reader.run.manual && ['closed', 'aborted'].includes(reader.subscription.stats.ended ?? '')) return
    if (reader.keeper) entryOf(event).finished = true
    trace(`${reader.name} finishes ${entryOf(event).at}`)
  }
  const committing = (reader: Reader, event: StreamEvent): void => {
    finish(reader, event)
    if (!reader.run.dead) owe(reader.run, `commit of ${reader.name}`, event.commit()).catch(() => {})
  }
  const work = async (): Promise<void> => {
    if (pick(3) === 0) await wait(pick(pick(6) === 0 ? 30_000 : 300))
  }
  const loop = async (next: () => Promise<IteratorResult<StreamEvent>>, of: (event: StreamEvent) => Reader | undefined): Promise<void> => {
    let inHand: (() => void) | undefined
    const later: (() => void)[] = []
    for (;;) {
      inHand?.()
      const { done, value } = await next()
      if (done) {
        for (const each of later) each()
        return
      }
      const reader = of(value)
      if (!reader || reader.run.dead) return await new Promise<never>(() => {})
      hand(reader, value)
      await work()
      maybeCrash(reader.run)
      if (reader.run.dead) return await new Promise<never>(() => {})
      if (reader.run.manual) {
        later.push(() => committing(reader, value))
        while (later.length > 0 && pick(3) > 0) later.splice(pick(later.length), 1)[0]?.()
      } else inHand = () => finish(reader, value)
      if (!state.calm && pick(40) === 0) {
        if (pick(2) === 0) throw new ByUser('the body threw')
        return
      }
    }
  }
  const left = async (iterator: AsyncIterator<StreamEvent>, of: (event: StreamEvent) => Reader | undefined): Promise<void> => {
    try {
      await loop(() => iterator.next(), of)
    } finally {
      await iterator.return?.()
    }
  }
  const consume = async (reader: Reader): Promise<void> => {
    const { subscription, style, run } = reader
    if (style === 'loop') return await left(subscription[Symbol.asyncIterator](), () => reader)
    const concurrency = 1 + pick(4)
    const orderBy = pick(2) === 0 ? { orderBy: (event: StreamEvent) => String(entryOf(event).at % 3) } : {}
    if (concurrency > 1) reader.ordered = false
    await subscription.process(
      async (event) => {
        if (run.dead) return await new Promise<never>(() => {})
        hand(reader, event)
        run.handlers++
        await work()
        run.handlers--
        maybeCrash(run)
        if (run.dead) return await new Promise<never>(() => {})
        if (!state.calm && pick(40) === 0) throw new ByUser('the handler failed')
        if (run.manual) committing(reader, event)
        else finish(reader, event)
      },
      { concurrency, ...orderBy },
    )
  }
  let named = 0
  const subscribe = (run: Run, channel = oneOf(channels)): void => {
    const log = logOf(state.org, channel)
    const others = run.readers.filter((each) => each.channel === channel && each.subscription.stats.ended === undefined)
    const chosen = state.calm ? undefined : oneOf([undefined, undefined, undefined, undefined, 'all', 'new', 'off', 'id'] as const)
    const known = log.filter(({ id, sent }) => id >= 0 && sent)
    const replay = chosen !== 'id' ? chosen : known.length > 0 ? oneOf(known).id : 'all'
    const abort = new AbortController()
    if (!state.calm && pick(20) === 0) abort.abort(new ByUser('too late'))
    const until = state.calm
      ? undefined
      : oneOf([...Array(12), 'caught-up', { idleMs: 0, maxMs: 60_000 }, { maxEvents: pick(6) }, { maxMs: pick(20_000) }])
    // Of two that events() takes from, nobody could tell whose an event was.
    const merged = run.readers.filter((each) => each.channel === channel && each.style === 'events()')
    const clear =
      merged.length === 0 || (run.merged === 0 && merged.every(({ subscription: { stats } }) => stats.ended && stats.buffered === 0))
    const style = !clear ? oneOf(['loop', 'process']) : oneOf(['loop', 'process', 'events()'])
    const name = `${run.number}.${++named} ${channel} ${style} ${String(replay)} ${JSON.stringify(until) ?? ''}`
    const onInvalid = oneOf(['throw', 'skip', 'raw'] as const)
    const odd = state.calm ? Number.POSITIVE_INFINITY : oneOf([4, 30])
    let reader: Reader | undefined
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (value: unknown) => {
          if (run.dead) return new Promise<never>(() => {})
          const bad = odd < 100 && pick(odd) === 0
          const judged = (): { value: unknown } | { issues: { message: string }[] } => {
            maybeCrash(run)
            if (!bad) return { value }
            const { org: of, at } = value as { org: string; at: number }
            if (onInvalid === 'skip') reader?.had.add(at)
            if (onInvalid === 'skip' && reader?.keeper && !run.dead) (logOf(of, channel)[at] as Entry).finished = true
            return { issues: [{ message: 'odd' }] }
          }
          return pick(2) === 0 ? judged() : wait(pick(400)).then(judged)
        },
      },
    }
    const marks = oneOf([0, 2, 10, 1_000])
    try {
      const subscription = run.client.subscribe(channel, {
        ...(replay !== undefined && { replay }),
        maxBuffered: marks,
        signal: abort.signal,
        ...(until && { until }),
        ...(pick(4) === 0 && { schema, onInvalid }),
      })
      const keeper = others.length === 0
      reader = {
        name,
        run,
        channel,
        subscription,
        keeper,
        replay,
        marks,
        abort,
        style,
        ordered: true,
        last: undefined,
        had: new Set(),
        excused: false,
      }
    } catch (error) {
      if (!['channel_in_use', 'client_stopped'].includes((error as SfStreamError).code) && !(error instanceof ByUser)) throw error
      return
    }
    trace(`${name} begins${reader.keeper ? '' : ', shared'}`)
    run.readers.push(reader)
    owe(run, `ready of ${name}`, reader.subscription.ready).catch(() => {})
    if (style !== 'events()') void owe(run, name, consume(reader)).then(...both(() => trace(`${name} has ended`)))
  }
  const all = (run: Run): void => {
    if (run.merged >= 2) return
    run.merged++
    const of = ({ channel }: StreamEvent): Reader | undefined =>
      run.readers.filter((each) => each.channel === channel && each.style === 'events()').at(-1)
    void owe(run, `events() of ${run.number}`, left(run.client.events(), of)).then(...both(() => void run.merged--))
  }

  return { subscribe, all }
}
