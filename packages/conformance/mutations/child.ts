import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** What a child process printed, and how it ended. */
export interface Ended {
  lines: readonly string[]
  errors: string
  code: number | null
  /** It printed nothing for too long, and was killed. */
  silent: boolean
}

/** Runs Node in `cwd`; a child that prints no line for `silenceMs` is killed: broken code may well loop for ever. */
export function child(cwd: string, args: readonly string[], silenceMs: number): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const lines: string[] = []
    let errors = ''
    let silent = false
    const running = spawn(process.execPath, ['--max-old-space-size=1500', ...args], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const kill = (): void => {
      silent = true
      // With its own children: a worker in an endless loop would outlive it.
      if (running.pid !== undefined) process.kill(-running.pid, 'SIGKILL')
    }
    let timer = setTimeout(kill, silenceMs)
    createInterface({ input: running.stdout }).on('line', (line) => {
      lines.push(line)
      clearTimeout(timer)
      timer = setTimeout(kill, silenceMs)
    })
    running.stderr.on('data', (chunk) => {
      errors = (errors + String(chunk)).slice(-4_000)
    })
    running.on('error', reject)
    running.on('close', (code) => {
      clearTimeout(timer)
      resolve({ lines, errors, code, silent })
    })
  })
}
