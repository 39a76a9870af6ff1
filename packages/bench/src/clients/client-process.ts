import { backlogTask } from '../tasks/backlog.ts'
import { growthTask } from '../tasks/growth.ts'
import { heapTask } from '../tasks/heap.ts'
import type { Job, Parent } from '../tasks/job.ts'
import { latencyTask } from '../tasks/latency.ts'
import { recoveryTask } from '../tasks/recovery.ts'
import { streamTask } from '../tasks/stream.ts'

// A client's own process: does its one job, tells the result, ends.
const job = JSON.parse(process.argv[2] ?? '') as Job
const parent: Parent = {
  tell: (kind) => void process.send?.({ kind }),
  go: new Promise((resolve) => process.once('message', () => resolve())),
}

function run(): Promise<unknown> {
  switch (job.task) {
    case 'stream':
      return streamTask(job, parent)
    case 'latency':
      return latencyTask(job, parent)
    case 'heap':
      return heapTask(job, parent)
    case 'backlog':
      return backlogTask(job)
    case 'recovery':
      return recoveryTask(job, parent)
    case 'growth':
      return growthTask(job, parent)
  }
}

process.on('disconnect', () => process.exit(1))
const message = await run().then(
  (result) => ({ kind: 'result', result }),
  (error: unknown) => ({ kind: 'error', text: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
)
process.send?.(message, undefined, {}, () => process.exit(0))
