import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A program in a process of its own. */
export interface RuntimeProcess {
  /** What it has printed, on both streams. */
  readonly out: string
  /** Resolves with the exit code, or the name of the signal that ended it, once all output is in. */
  readonly ended: Promise<number | NodeJS.Signals | null>
  kill(signal: NodeJS.Signals): void
}

export interface ProcessOptions {
  env?: Record<string, string>
  cwd?: string
  /** Called whenever it has printed something. */
  onOutput?: () => void
}

const installed = (path: string): string => fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url))
const program = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** A program of `test/` in Deno, with no permission but those that `flags` give. */
export function startDeno(path: string, args: readonly string[], flags: readonly string[], options?: ProcessOptions): RuntimeProcess {
  const run = [installed('deno-bin/bin.cjs'), 'run', '--no-prompt', '--node-modules-dir=manual', ...flags]
  return start(process.execPath, [...run, program(path), ...args], options)
}

/** A program of `test/` in Bun. */
export function startBun(path: string, args: readonly string[], options?: ProcessOptions): RuntimeProcess {
  return start(installed('bun-bin/bin/bun.exe'), ['run', program(path), ...args], options)
}

function start(command: string, args: readonly string[], { env, cwd, onOutput = () => {} }: ProcessOptions = {}): RuntimeProcess {
  const child = spawn(command, args, {
    env: { ...process.env, NO_COLOR: '1', ...env },
    ...(cwd !== undefined && { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
    // Deno's launcher passes no signals on: a process group of its own takes them instead.
    detached: true,
  })
  let out = ''
  let running = true
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      out += text
      onOutput()
    })
  return {
    get out() {
      return out
    },
    ended: new Promise((resolve) =>
      child.once('close', (code, signal) => {
        running = false
        resolve(code ?? signal)
      }),
    ),
    kill: (signal) => {
      if (running) process.kill(-child.pid!, signal)
    },
  }
}
