import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../../node_modules/deno-bin/bin.cjs', import.meta.url))

/** A program of `programs/` in a Deno of its own. */
export interface DenoProcess {
  /** What it has printed, on both streams. */
  readonly out: string
  /** Resolves with the exit code; undefined where a signal ended it. */
  readonly ended: Promise<number | undefined>
  kill(signal: NodeJS.Signals): void
}

/** Deno with no permission but the given ones; `onOutput` is called whenever it has printed something. */
export function startDeno(
  program: string,
  args: readonly string[],
  { flags, onOutput = () => {} }: { flags: readonly string[]; onOutput?: () => void },
): DenoProcess {
  const script = fileURLToPath(new URL(`./programs/${program}`, import.meta.url))
  // The launcher passes no signals on: a process group of its own takes them instead.
  const child = spawn(process.execPath, [launcher, 'run', '--no-prompt', '--node-modules-dir=manual', ...flags, script, ...args], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
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
      child.once('close', (code) => {
        running = false
        resolve(code ?? undefined)
      }),
    ),
    kill: (signal) => {
      if (running) process.kill(-child.pid!, signal)
    },
  }
}
