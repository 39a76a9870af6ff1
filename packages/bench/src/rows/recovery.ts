import { setTimeout as sleep } from 'node:timers/promises'
import { freshToken } from '../clients/bench-client.ts'
import { type ClientName, labels, sfstreams } from '../clients/client-names.ts'
import { type ClientRun, runClient } from '../harness/run-client.ts'
import type { RecoveryResult } from '../tasks/job.ts'
import { attempt, type RowContext } from './row.ts'

/** So much that what a client does itself is little beside it: time then counts round trips. */
export const roundTripMs = 100
const limitMs = 60_000
const downMs = 1_000

export const recoveryCases = ['session lost', 'server restarted', 'token expired'] as const
type RecoveryCase = (typeof recoveryCases)[number]

/** From when the client is told, or could know, until its channel is subscribed again; an event has to come then, or there is no figure. */
export async function recovery(context: RowContext): Promise<void> {
  const others: ClientName[] = ['cometd', 'faye', 'jsforce']
  for (const what of recoveryCases) {
    // Peers are given a token, not a way to another.
    const clients = what === 'token expired' ? sfstreams : [...sfstreams, ...others]
    for (let round = 0; round < (context.quick ? 1 : 3); round++)
      for (const client of clients) await attempt(context, `${labels[client]}, ${what}`, () => sample(context, what, client))
  }
}

async function sample(context: RowContext, what: RecoveryCase, client: ClientName): Promise<void> {
  const { server, measured } = context
  await server.plan({ feed: { kind: 'hold' }, delayMs: roundTripMs })
  const run = runClient({ task: 'recovery', client, url: server.url })
  run.result.catch(() => {})
  await run.told('ready')
  await until(async () => (await server.held()) === 1)
  const fromMs = await cause(context, what)
  const subscribed = async () => {
    const since = (await server.requests()).filter(({ atMs }) => atMs >= fromMs - roundTripMs)
    return { since, at: since.findIndex(({ channel, ok }) => channel === '/meta/subscribe' && ok) }
  }
  await until(async () => (await subscribed()).at >= 0)
  const { since, at } = await subscribed()
  await proveAlive(context, run)
  const add = (metric: string, unit: string, value: number): void =>
    measured.add({ row: 'recovery', metric, setting: what, subject: labels[client] }, unit, value)
  const ms = since[at]!.atMs + roundTripMs - fromMs
  add('time until subscribed again', 'ms', ms)
  add('time in round trips', `x ${roundTripMs} ms`, ms / roundTripMs)
  add('requests until subscribed again', 'requests', at + 1)
  add('handshakes', 'requests', since.filter(({ channel }) => channel === '/meta/handshake').length)
}

function cause({ server }: RowContext, what: RecoveryCase): Promise<number> {
  switch (what) {
    case 'session lost':
      return server.loseSessions()
    case 'server restarted':
      return server.restart(downMs)
    case 'token expired':
      return server.expireToken(freshToken)
  }
}

async function proveAlive(context: RowContext, run: ClientRun<RecoveryResult>): Promise<void> {
  const { server } = context
  await until(async () => (await server.held()) === 1)
  await server.publish({ count: 1, meanMs: 1, seed: 1 })
  await sleep(3 * roundTripMs)
  run.go()
  const { arrivalsMs } = await run.result
  if (arrivalsMs.length !== 1) throw new Error(`${arrivalsMs.length} of 1 event came after it had subscribed again`)
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const startedAt = performance.now()
  while (!(await holds())) {
    if (performance.now() - startedAt > limitMs) throw new Error(`not within ${limitMs / 1_000} s`)
    await sleep(10)
  }
}
