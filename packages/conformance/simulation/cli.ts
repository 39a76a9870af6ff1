import { fork } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { scenarioIds } from '@sfstream/mock-org'
import { plan } from './plan.ts'
import { shrink } from './shrink.ts'
import { simulate } from './simulate.ts'
import type { WorkerReport, WorkerTask } from './worker.ts'

const usage = `Runs client, org, network, store and consumers under random faults, each run from one seed.

  pnpm simulate --seeds N [--from S] [--shard i/n] [--jobs n] [--scenario S14] [--resume FILE]
  pnpm simulate --seed S [--scenario S14]      one run, with its trace; a failing one is cut down first

  --seeds N      how many seeds (200)
  --from S       the first one (1)
  --shard i/n    the i-th of n parts of them
  --jobs n       worker processes (one for each core)
  --scenario ID  a scenario of the mock org strikes in each run
  --resume FILE  keeps what is done in FILE; run again, it goes on from there`

/** Seeds a worker is given at a time. */
const chunkSize = 250

interface Progress {
  of: string
  reports: WorkerReport[]
}

class UsageError extends Error {}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '200' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      shard: { type: 'string', default: '1/1' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      scenario: { type: 'string' },
      resume: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const { scenario } = values
  if (scenario !== undefined && !(scenarioIds as readonly string[]).includes(scenario)) {
    throw new UsageError(`there is no scenario ${scenario}; there are ${scenarioIds.join(', ')}`)
  }
  if (values.seed !== undefined) return await one(whole('seed', values.seed), scenario)
  const shard = /^(\d+)\/(\d+)$/.exec(values.shard)
  if (!shard || Number(shard[1]) < 1 || Number(shard[1]) > Number(shard[2]))
    throw new UsageError(`--shard is '${values.shard}', not like 1/4`)
  const [index, parts] = [Number(shard[1]), Number(shard[2])]
  const first = whole('from', values.from)
  const seeds = whole('seeds', values.seeds)
  const from = first + Math.floor((seeds * (index - 1)) / parts)
  const to = first + Math.floor((seeds * index) / parts)
  return await many({ from, to, scenario, jobs: whole('jobs', values.jobs), resume: values.resume })
}

function whole(name: string, text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1) throw new UsageError(`--${name} is '${text}', not a number of 1 or more`)
  return Number(text)
}

async function one(seed: number, scenario: string | undefined): Promise<number> {
  const outcome = await simulate(plan(seed, scenario), { trace: true })
  if (outcome.violations.length === 0) {
    console.log(outcome.lines.join('\n'))
    console.log(`seed ${seed}: well; ${minutes(outcome.tookMs)} simulated, ${outcome.published} events, ${outcome.requests} requests`)
    return 0
  }
  await explain(seed, scenario)
  return 1
}

/** The shortest failing run that a seed leads to. */
async function explain(seed: number, scenario: string | undefined): Promise<void> {
  const original = plan(seed, scenario)
  const { plan: smaller, outcome } = await shrink(original)
  console.log(`\nseed ${seed}, cut down from ${original.steps.length} steps to ${smaller.steps.length}:`)
  console.log(JSON.stringify(smaller.settings))
  for (const { waitMs, action } of smaller.steps) console.log(`  after ${waitMs} ms: ${JSON.stringify(action)}`)
  const at = outcome.lines.findIndex((line) => line.includes('VIOLATION'))
  const shown = outcome.lines.slice(Math.max(0, at - 40), at + 3)
  console.log(shown.join('\n'))
  for (const violation of outcome.violations.slice(0, 5)) console.log(`seed ${seed}: ${violation}`)
}

interface Many {
  from: number
  to: number
  scenario: string | undefined
  jobs: number
  resume: string | undefined
}

async function many({ from, to, scenario, jobs, resume }: Many): Promise<number> {
  const of = `seeds ${from} to ${to - 1}${scenario === undefined ? '' : ` with ${scenario}`}`
  const progress: Progress = resume !== undefined && existsSync(resume) ? JSON.parse(readFileSync(resume, 'utf8')) : { of, reports: [] }
  if (progress.of !== of) throw new UsageError(`${resume} holds the progress of ${progress.of}, not of ${of}`)
  const { reports } = progress
  const done = new Set(reports.map((report) => report.from))
  const tasks: WorkerTask[] = []
  for (let at = from; at < to; at += chunkSize) if (!done.has(at)) tasks.push({ from: at, to: Math.min(to, at + chunkSize), scenario })
  const startedAt = Date.now()
  let shownAt = startedAt
  const before = reports.reduce((sum, { cpuMs }) => sum + cpuMs.length, 0)

  const take = (report: WorkerReport): void => {
    reports.push(report)
    if (resume !== undefined) writeFileSync(resume, JSON.stringify(progress))
    for (const { seed, violation } of report.failed) console.log(`seed ${seed} failed: ${violation}`)
    if (Date.now() - shownAt < 10_000) return
    shownAt = Date.now()
    const count = reports.reduce((sum, { cpuMs }) => sum + cpuMs.length, 0)
    const failed = reports.reduce((sum, each) => sum + each.failed.length, 0)
    console.log(
      `${count} of ${to - from} seeds, ${failed} failed, ${Math.round(((count - before) * 1000) / (shownAt - startedAt))} a second`,
    )
  }
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, () => worker(tasks, take)))

  const failed = reports.flatMap((report) => report.failed).sort((a, b) => a.seed - b.seed)
  const cpu = reports.flatMap(({ cpuMs }) => cpuMs).sort((a, b) => a - b)
  const share = (part: number): string => (cpu[Math.min(cpu.length - 1, Math.floor(cpu.length * part))] ?? 0).toFixed(1)
  const simulated = reports.reduce((sum, { simulatedMs }) => sum + simulatedMs, 0)
  const events = reports.reduce((sum, each) => sum + each.events, 0)
  if (failed[0]) await explain(failed[0].seed, scenario)
  console.log(
    `${of}: ${cpu.length - failed.length} passed, ${failed.length} failed; ${(simulated / 86_400_000).toFixed(1)} days simulated, ${events} events; ` +
      `CPU a run: median ${share(0.5)} ms, 95 of 100 within ${share(0.95)} ms`,
  )
  if (failed.length > 0) console.log(`failed: ${failed.map(({ seed }) => seed).join(' ')}`)
  return failed.length === 0 ? 0 : 1
}

/** One process that works off tasks until none is left. */
function worker(tasks: WorkerTask[], take: (report: WorkerReport) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)))
    let current: WorkerTask | undefined
    const next = (): void => {
      current = tasks.shift()
      if (current) child.send(current)
      else child.disconnect()
    }
    child.on('message', (report: WorkerReport) => {
      take(report)
      next()
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (current) reject(new Error(`A worker ended (${signal ?? code}) at seeds ${current.from} to ${current.to - 1}.`))
      else resolve()
    })
    next()
  })
}

function minutes(ms: number): string {
  return `${(ms / 60_000).toFixed(1)} minutes`
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof UsageError) && !(error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')) throw error
  console.error(`${(error as Error).message}\n\n${usage}`)
  process.exitCode = 2
}
