import { plan } from './plan.ts'
import { simulate } from './simulate.ts'

/** What a worker tells of a range of seeds. */
export interface WorkerReport {
  from: number
  failed: { seed: number; violation: string }[]
  cpuMs: number[]
  simulatedMs: number
  events: number
}

export interface WorkerTask {
  from: number
  to: number
  scenario?: string | undefined
}

let rejection: unknown
process.on('unhandledRejection', (reason) => {
  rejection = reason ?? 'an unhandled rejection'
})

process.on('message', (task: WorkerTask) => {
  void work(task).then((report) => process.send?.(report))
})

async function work({ from, to, scenario }: WorkerTask): Promise<WorkerReport> {
  const report: WorkerReport = { from, failed: [], cpuMs: [], simulatedMs: 0, events: 0 }
  for (let seed = from; seed < to; seed++) {
    const before = process.cpuUsage()
    rejection = undefined
    const outcome = await simulate(plan(seed, scenario))
    const { user, system } = process.cpuUsage(before)
    report.cpuMs.push((user + system) / 1000)
    report.simulatedMs += outcome.tookMs
    report.events += outcome.published
    const violation = outcome.violations[0] ?? (rejection === undefined ? undefined : `unhandled rejection: ${String(rejection)}`)
    if (violation !== undefined) report.failed.push({ seed, violation })
  }
  return report
}
