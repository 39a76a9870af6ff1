import { getEventListeners } from 'node:events'
import { createClient, ReplayError, type SfStreamError, TransportError } from '../../src/index.ts'
import { crashReaders } from './crash-readers.ts'
import { ByUser, channels, crashWorld, type Kinds, type Pick, type Run } from './crash-world.ts'
import { type OpenedFeed, scriptedSource } from './scripted-source.ts'

/**
 * Programs that do whatever users may, killed wherever they touch their surroundings, one after another with one store; then all is well,
 * and what is owed is handed out. Returns what may not be.
 */
export async function crashModel(pick: Pick, kinds: Kinds, trace: (line: string) => void = () => {}): Promise<string[]> {
  const world = crashWorld(pick, kinds, trace)
  const { clock, state, violations, violate, oneOf, logOf, publish, after, waive, storeOf } = world
  const { subscribe, all } = crashReaders(world)
  const runs: Run[] = []
  const begin = (): Run => {
    const source = scriptedSource()
    source.manual = pick(3) === 0
    source.now = clock.now
    source.orgName = `00D00000000000${state.org}`
    const open = source.open.bind(source)
    const orgOf = new Map<OpenedFeed, string>()
    source.open = (request) => {
      const feed = open(request)
      orgOf.set(source.feed, String(source.orgName).slice(-1))
      trace(`run ${run.number} opens ${String(source.orgName).slice(-1)} ${request.channel} at ${request.position}`)
      return feed
    }
    const commit = pick(4) === 0 ? 'manual' : 'auto'
    const client = createClient({
      source,
      commit,
      replayStore: storeOf(() => run, oneOf([0, 0, 3, 8])),
      ...(pick(4) === 0 && { gap: 'report' }),
      platform: {
        now: () => clock.now() + state.sleptMs,
        random: clock.random,
        delay: (then, ms) => {
          run.timers++
          let over = false
          const once = (): boolean => {
            if (over) return false
            over = true
            run.timers--
            return true
          }
          const cancel = clock.delay(() => void (once() && then()), ms)
          return () => void (once() && cancel())
        },
        fetch: () => Promise.reject(new Error('no network here')),
      },
    })
    const run: Run = {
      number: runs.length + 1,
      client,
      source,
      orgOf,
      readers: [],
      owed: new Set(),
      timers: 0,
      handlers: 0,
      saving: 0,
      dead: false,
      merged: 0,
      manual: commit === 'manual',
    }
    runs.push(run)
    return run
  }

  // --- what the org does ------------------------------------------------------------------------------------------

  const given = new WeakMap<object, number>()
  const maxReply = 12
  const serve = (run: Run): void => {
    for (const feed of run.source.openFeeds) {
      const { channel, position } = feed.request
      const of = run.orgOf.get(feed) as string
      const log = logOf(of, channel)
      const keeper = run.readers.find((each) => each.channel === channel && each.keeper && each.subscription.stats.ended === undefined)
      if (!given.has(feed)) {
        const from = position === 'new' || position === 'off' ? log.length : after(log, position)
        given.set(feed, from)
        if (position === 'all')
          for (const each of run.readers) if (each.channel === channel && (each.last || keeper?.replay === 'new')) each.excused = true
        if (position === 'off' || (keeper && (position === keeper.replay || (position === 'new' && keeper.replay === 'new'))))
          waive(of, channel, from)
        if (!state.calm && typeof position === 'number' && pick(25) === 0) {
          for (const each of run.readers) if (each.channel === channel) each.excused = true
          trace(`${position} is refused`)
          feed.refuse(new ReplayError({ code: 'replay_position', message: 'gone', remediation: '' } as never))
          continue
        }
        if (run.source.manual && pick(4) > 0) feed.accept()
      }
      if (!state.calm && pick(2) === 0) continue
      if (run.source.holds > 0 && (state.calm || pick(10) > 0)) continue
      if (run.source.manual) feed.accept()
      const complete = state.calm || pick(10) > 0
      let from = given.get(feed) as number
      if (kinds.twice && position !== 'new' && position !== 'off' && pick(30) === 0) {
        from = Math.max(after(log, position), from - pick(4))
        for (const each of run.readers) if (each.channel === channel) each.excused = true
      }
      let to = Math.min(log.length, from + 1 + pick(maxReply))
      while (complete && to > 0 && to < log.length && log[to]?.id === log[to - 1]?.id && (log[to]?.id ?? -1) >= 0) to++
      if (to > from) {
        trace(`run ${run.number} is sent ${of} ${channel} ${from}..${to - 1}${complete ? '' : ' cut'}`)
        for (const entry of log.slice(from, to)) entry.sent = true
        feed.reply(
          log.slice(from, to).map(({ message }) => message),
          { complete },
        )
        given.set(feed, to)
      }
      if (to > from && !complete) feed.lose()
      else if (!state.calm && pick(15) === 0) feed.lose()
    }
  }

  // --- and what befalls them --------------------------------------------------------------------------------------

  const watch = (run: Run): void => {
    for (const { subscription, marks, name } of run.readers)
      if (subscription.stats.buffered > marks + 3 * (maxReply + 6)) violate(`${name} buffers ${subscription.stats.buffered}`)
  }
  const stop = async (run: Run): Promise<void> => {
    trace(`run ${run.number} stop()`)
    let over: unknown
    run.client.stop().then(
      () => {
        over = 'done'
      },
      (error: unknown) => {
        over = error
      },
    )
    for (let ms = 0; over === undefined && ms < 100_000; ms += 500) await clock.advance(500)
    if (over === undefined) violate(`stop() of ${run.number} hangs`)
    // A handler that still runs may have its position saved.
    if (!run.dead && run.handlers + run.saving === 0 && run.timers > 0)
      violate(`as stop() of ${run.number} settles: ${run.timers} timers are left`)
    if (over !== 'done' && (over as SfStreamError)?.code !== 'store_failed') violate(`stop() rejected with ${String(over)}`)
    await clock.advance(100_000)
    if (run.dead) return
    for (const each of run.owed) violate(`after stop(): ${each} has not settled`)
    run.owed.clear()
    if (run.timers > 0) violate(`after stop(): ${run.timers} timers are left`)
    if (run.source.openFeeds.length > 0 || run.source.holds > 0) violate('after stop(): a feed or a hold is left')
    for (const { abort, name } of run.readers)
      if (getEventListeners(abort.signal, 'abort').length > 0) violate(`after stop(): a listener of ${name} is left`)
  }

  let run = begin()
  for (let step = 0; step < 60 && violations.length === 0; step++) {
    if (run.dead) run = begin()
    for (let more = pick(4); more > 0; more--) publish(oneOf(channels))
    if (step < 2 || pick(6) === 0) subscribe(run)
    if (pick(8) === 0) all(run)
    serve(run)
    const { source } = run
    switch (pick(40)) {
      case 0:
        for (const feed of source.openFeeds) feed.lose()
        break
      case 1:
        oneOf(run.readers)
          ?.subscription.close()
          .catch(() => {})
        break
      case 2:
        oneOf(run.readers)?.abort.abort(new ByUser('aborted'))
        break
      case 3:
        run.client.askStop()
        break
      case 4:
        await stop(run)
        break
      case 5:
        state.sleptMs += oneOf([-3_600_000, 3_600_000])
        break
      case 6:
      case 7:
        if (!kinds.moves) break
        state.org = state.org === 'A' ? 'B' : 'A'
        trace(`the org is ${state.org}`)
        source.orgName = `00D00000000000${state.org}`
        for (const each of run.readers) each.excused = true
        for (const feed of source.openFeeds) feed.lose()
        break
      case 8:
        source.isLive = !source.isLive
        break
      case 9:
        oneOf(run.source.openFeeds)?.fail(new TransportError({ code: 'network', message: 'given up', remediation: '' } as never))
        break
      default:
    }
    if (pick(3) === 0) await clock.advance(pick(pick(10) === 0 ? 40_000 : 300))
    else await clock.settle()
    watch(run)
  }

  // All is well again: everything owed is handed out.
  for (const each of runs) await stop(each)
  state.calm = true
  for (const org of ['A', 'B']) {
    state.org = org
    run = begin()
    run.source.manual = false
    for (const channel of channels) publish(channel)
    for (let step = 0; step < 400 && violations.length === 0; step++) {
      for (const channel of channels)
        if (!run.readers.some((each) => each.channel === channel && each.subscription.stats.ended === undefined)) subscribe(run, channel)
      if (run.merged === 0) all(run)
      serve(run)
      await clock.advance(500)
      if (step > 40 && channels.every((channel) => logOf(org, channel).every(({ finished }) => finished))) break
    }
    await stop(run)
    for (const channel of channels) {
      const lost = logOf(org, channel).filter(({ finished }) => !finished)
      if (lost.length > 0 && violations.length === 0) violate(`${org} ${channel}: never finished: ${lost.map(({ at }) => at)}`)
    }
  }
  return violations
}
