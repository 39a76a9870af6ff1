import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faultSchedule, type ScheduledFault } from './fault-schedule.ts'
import type { ClientCommand, ClientView, OrgCommand, OrgView } from './messages.ts'
import { seeded } from './random.ts'
import { type ServedProcess, servedProcess } from './served-process.ts'
import type { SoakArguments } from './soak-arguments.ts'
import type { Sample, SoakRecord } from './soak-record.ts'

interface Parts {
  org: ServedProcess<OrgCommand, OrgView>
  client: ServedProcess<ClientCommand, ClientView>
}

/** How long the client may take to catch up once the faults are over: its longest delay is two minutes. */
const catchUpMs = 180_000
const releaseMs = 15_000
/** Events on each channel before the time begins to count, where there is time to judge the heap: what is remembered of 10,000 events is full then. */
const backlogEach = 10_500
const heapIsJudgedFrom = 2

/** Runs the org and the client in processes of their own, until the time is up or `interrupt` aborts. `onSample` sees each sample. */
export async function runSoak(
  { minutes, seed, rate }: SoakArguments,
  interrupt: AbortSignal,
  onSample: (sample: Sample, faults: number) => void,
): Promise<SoakRecord> {
  const lengthMs = minutes * 60_000
  const storePath = await mkdtemp(join(tmpdir(), 'sfstream-soak-'))
  const parts: Parts = {
    org: servedProcess(new URL('org-process.ts', import.meta.url)),
    client: servedProcess(new URL('client-process.ts', import.meta.url)),
  }
  try {
    const { url, clientId, clientSecret } = await parts.org.ask({ command: 'open' })
    await parts.client.ask({ command: 'start', url, clientId, clientSecret, storePath })
    if (minutes >= heapIsJudgedFrom) await parts.org.ask({ command: 'backlog', each: backlogEach })
    await caughtUp(parts)
    await parts.org.ask({ command: 'publish', perSecond: rate })

    const startedAt = Date.now()
    const samples: Sample[] = []
    const sample = async (): Promise<Sample> => {
      const taken = await look(parts, Date.now() - startedAt)
      samples.push(taken)
      return taken
    }
    const faults: ScheduledFault[] = []
    const schedule = faultSchedule(lengthMs, seeded(seed))
    // Long enough to be felt, and over before the next fault.
    const downMs = Math.min(2_000, lengthMs / 20)
    const everyMs = Math.min(5_000, lengthMs / 12)
    let striking: Promise<unknown> = Promise.resolve()
    for (let dueMs = 0; dueMs < lengthMs && !interrupt.aborted; ) {
      const strikes = schedule[0] !== undefined && schedule[0].atMs <= dueMs
      await until(startedAt + dueMs, interrupt)
      if (strikes) {
        const { kind } = schedule.shift()!
        faults.push({ atMs: Date.now() - startedAt, kind })
        striking = Promise.all([striking, parts.org.ask({ command: 'fault', kind, downMs })])
      } else onSample(await sample(), faults.length)
      const nextSample = (Math.floor(dueMs / everyMs) + 1) * everyMs
      dueMs = Math.min(nextSample, schedule[0]?.atMs ?? Number.POSITIVE_INFINITY)
    }
    await striking
    await parts.org.ask({ command: 'calm' })
    const complete = await caughtUp(parts)
    onSample(await sample(), faults.length)
    return await finish(parts, { minutes, seed, rate, interrupted: interrupt.aborted, samples, faults }, complete)
  } finally {
    await Promise.all([parts.org.release(), parts.client.release()])
    await rm(storePath, { recursive: true, force: true })
  }
}

type Measured = Pick<SoakRecord, 'minutes' | 'seed' | 'rate' | 'interrupted' | 'samples' | 'faults'>

/** Stops the client, then the org, and looks at what either leaves. */
async function finish({ org, client }: Parts, measured: Measured, complete: boolean): Promise<SoakRecord> {
  const stopped = await client.ask({ command: 'stop' })
  let { handles } = stopped
  await eventually(releaseMs, async () => {
    handles = (await client.ask({ command: 'look' })).handles
    return handles === 0
  })
  const exit = await client.release()
  const closed = await org.ask({ command: 'close' })
  return {
    ...measured,
    statuses: stopped.statuses,
    failures: [...stopped.failures, ...(complete ? [] : [`the client had not caught up ${catchUpMs / 1_000} s after the last fault`])],
    channels: Object.fromEntries(
      Object.entries(stopped.channels).map(([channel, counts]) => [
        channel,
        {
          ...counts,
          published: closed.published[channel] ?? 0,
          stored: stopped.positions[channel] ?? '',
          last: closed.lastReplayIds[channel] ?? '',
        },
      ]),
    ),
    mostConnects: closed.mostConnects,
    left: { slots: closed.slots, handles, exit },
  }
}

function caughtUp(parts: Parts): Promise<boolean> {
  return eventually(catchUpMs, async () => {
    const { published, handled } = await look(parts, 0)
    return published === handled
  })
}

async function look({ org, client }: Parts, atMs: number): Promise<Sample> {
  // The client first: what it has handled by then was published before.
  const { channels, heapBytes, rssBytes, handles } = await client.ask({ command: 'look' })
  const { published, handshakes, logins, sockets } = await org.ask({ command: 'look' })
  const counts = Object.values(channels)
  return {
    atMs,
    published: Object.values(published).reduce((sum, number) => sum + number, 0),
    handled: counts.reduce((sum, { handled }) => sum + handled, 0),
    repeated: counts.reduce((sum, { repeated }) => sum + repeated, 0),
    disordered: counts.reduce((sum, { disordered }) => sum + disordered, 0),
    missing: counts.reduce((sum, { missing }) => sum + missing, 0),
    handshakes,
    logins,
    heapBytes,
    rssBytes,
    handles,
    sockets,
  }
}

/** Resolves when this time has come, or at the interrupt. */
function until(timeMs: number, interrupt: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      interrupt.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, Math.max(0, timeMs - Date.now()))
    interrupt.addEventListener('abort', end)
    if (interrupt.aborted) end()
  })
}

/** Asks again and again, and says whether it came true in time. */
async function eventually(withinMs: number, condition: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + withinMs
  while (!(await condition())) {
    if (Date.now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return true
}
