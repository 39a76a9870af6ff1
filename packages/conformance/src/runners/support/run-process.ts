import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The suite's slowest runtimes take a tenth of it. */
const limitMs = 180_000

/** Runs a program in an empty folder of its own; resolves with what it printed. Rejects when it fails, or does not end by itself. */
export async function runProcess(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), 'sfstream-runtime-'))
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], timeout: limitMs })
      let out = ''
      let errors = ''
      child.stdout.on('data', (text) => {
        out += text
      })
      child.stderr.on('data', (text) => {
        errors += text
      })
      child.once('error', reject)
      child.once('close', (code, signal) =>
        code === 0
          ? resolve(out)
          : reject(new Error(`${command} ended with ${signal ?? code}\n${out.slice(-2_000)}\n${errors.slice(-4_000)}`)),
      )
    })
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}
