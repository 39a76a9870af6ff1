import type { Action, Garble } from './action.ts'
import type { World } from './simulate.ts'

/** Makes an action happen. */
export async function perform(world: World, action: Action): Promise<void> {
  const { org, history, program, store, moods, network } = world
  const { faults } = org
  switch (action.type) {
    case 'publish':
      for (let n = 0; n < action.count; n++) {
        history.publish(action.channel, { bytes: action.bytes, twice: action.twice, ...(action.group && n > 0 ? { group: 'same' } : {}) })
      }
      return
    case 'lose-sessions':
      return faults.loseSessions({ kicked: action.kicked })
    case 'revoke-tokens':
      return faults.revokeTokens()
    case 'scale-out':
      return faults.disconnect()
    case 'migrate':
      history.reset()
      faults.migrate(org.url.includes('acme2') ? 'https://acme3.my.salesforce.com' : 'https://acme2.my.salesforce.com')
      return faults.resetReplayIds(nextIds(world))
    case 'reset-ids':
      history.reset()
      return faults.resetReplayIds(nextIds(world))
    case 'busy':
      return faults.busy({ on: action.on, times: action.times })
    case 'protect':
      return faults.protect(action.times)
    case 'limit':
      return limit(world, action.what, action.forMs)
    case 'login-down':
      world.loginDown = true
      return world.after(action.forMs, () => {
        world.loginDown = false
      })
    case 'offline':
      return world.after(action.forMs, faults.offline())
    case 'cut-connections':
      return faults.cutConnections()
    case 'lost':
      return void faults.next({ on: action.on, kind: 'network-error', lost: action.what, times: action.times })
    case 'cut':
      return void faults.next({ on: action.on, kind: 'cut', afterBytes: action.afterBytes })
    case 'cut-after-body':
      return void faults.next({ on: action.on, kind: 'cut-after-body' })
    case 'drip':
      return void faults.next({ on: 'connect', kind: 'drip', bytes: action.bytes, everyMs: action.everyMs })
    case 'delay':
      return void faults.next({ on: action.on, kind: 'delay', ms: action.ms, times: action.times })
    case 'hold':
      return void faults.next({ on: action.on, kind: 'hold' })
    case 'status': {
      const headers: Record<string, string> = { 'Content-Type': 'text/html' }
      if (action.retryAfterS !== undefined) headers['Retry-After'] = String(action.retryAfterS)
      return void faults.next({ on: action.on, kind: 'http', status: action.status, headers, body: page, times: action.times })
    }
    case 'proxy':
      return void faults.next({ on: 'connect', kind: 'http', status: 504, body: page, afterMs: 60_000, times: action.times })
    case 'garble':
      return void faults.next({ on: action.on, kind: 'rewrite', body: (body) => garbled(body, action.with), times: action.times })
    case 'shuffle':
      return void faults.next({ on: 'cometd', kind: 'rewrite', body: shuffled, times: action.times })
    case 'twice':
      // The second answer is dropped: with events on it, they would be lost on a wire that showed no fault.
      return network.sendTwice(org.switches.dataOn === 'any-reply' ? 'handshake' : action.on)
    case 'sleep': {
      const { process } = program
      process.sleep(action.sockets)
      return world.after(action.forMs, () => process.wake(action.timers))
    }
    case 'clock-jump':
      return program.process.jump(action.byMs)
    case 'kill':
      world.downMs = action.downMs
      return program.process.killAfter(action.afterTouches)
    case 'restart':
      world.downMs = 0
      return await world.restart()
    case 'store':
      store.how = action.how
      return world.after(action.forMs, () => {
        store.how = 'well'
      })
    case 'mood': {
      moods.set(action.channel, action.mood)
      // Whoever hangs does so until the end: its handler never returns.
      if (action.mood === 'hung') return
      return world.after(action.forMs, () => moods.set(action.channel, 'fast'))
    }
    case 'scenario': {
      const before = retained(world)
      faults.scenario(action.id)
      // It has reset the bus, to higher ids as S05 does: what was not received by now is gone, and no id tells.
      if (retained(world) < before) history.reset()
      return
    }
  }
}

/** Ids that were never given out: whoever resumes from one of another event skips some, and nobody can tell. */
function nextIds({ history }: World): bigint {
  return BigInt(1_000_000 * history.resets)
}

const page = '<html><body>Service unavailable</body></html>'

function limit({ org, after, limits }: World, what: 'events' | 'clients', forMs: number): void {
  if (what === 'clients') org.limits.concurrentClients = 0
  else Object.assign(org.limits, { dailyPlatformEvents: 0, dailyPushTopicEvents: 0, dailyGenericEvents: 0 })
  after(forMs, () => Object.assign(org.limits, limits))
}

function garbled(body: string, how: Garble): string {
  switch (how) {
    case 'html':
      return '<!DOCTYPE html><html><body>Please log in</body></html>'
    case 'empty':
      return ''
    case 'object':
      return '{}'
    case 'truncated':
      return body.slice(0, Math.floor(body.length / 2))
    case 'bom':
      return `\uFEFF${body}`
  }
}

/** Events keep their order; replies go to the front and are said twice. Text with ids beyond 2^53 is left alone. */
function shuffled(body: string): string {
  if (/\d{16}/.test(body)) return body
  try {
    const messages = JSON.parse(body) as { channel?: string }[]
    const isMeta = ({ channel }: { channel?: string }): boolean => channel?.startsWith('/meta/') ?? true
    const replies = messages.filter(isMeta)
    return JSON.stringify([...replies, ...messages.filter((message) => !isMeta(message)), ...replies])
  } catch {
    return body
  }
}

/** How many published events a replay would still find. */
function retained({ org, history }: World): number {
  const used = [...history.channels.values()].filter(({ log }) => log.length > 0)
  return used.reduce((sum, { name }) => sum + org.inspect.published(name).filter((event) => event.retained).length, 0)
}
