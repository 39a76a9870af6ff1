import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Report } from './report.ts'

export interface ConsumerProcess {
  /** How it ended: its exit code, or the signal that killed it. */
  readonly ended: Promise<number | string>
  /** Lets it save and say goodbye. */
  stop(): void
  kill(): void
}

/** Starts a consumer as a process of its own: this program once more, under another command. */
export function startConsumer(store: string, env: NodeJS.ProcessEnv, onReport: (report: Report) => void): ConsumerProcess {
  const child: ChildProcess = fork(process.argv[1] ?? '', ['demo-consumer', '--store', store], {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  child.on('message', (report) => onReport(report as Report))
  // 'close' comes after the last message has been read, 'exit' may come before.
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal ?? -1) as number | string)
  return {
    ended,
    stop: () => {
      if (child.connected) child.send('stop')
    },
    kill: () => {
      child.kill('SIGKILL')
    },
  }
}
