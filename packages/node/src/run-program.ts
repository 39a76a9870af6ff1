import { spawn } from 'node:child_process'

export interface ProgramOutput {
  stdout: string
  stderr: string
  exitCode: number | null
}

/** What a program may say; beyond it is stopped. */
const maxBytes = 4 * 1024 * 1024

/**
 * Runs a program from the PATH, without a shell, and resolves when it has ended. Abort stops it, and what it has started, and
 * rejects at once with the signal's reason. Rejects with the system's own error where there is no such program.
 */
export function runProgram(
  name: string,
  args: readonly string[],
  { signal, env }: { signal: AbortSignal; env: NodeJS.ProcessEnv },
): Promise<ProgramOutput> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const windows = process.platform === 'win32'
    // npm's programs are .cmd files on Windows, which nothing but its shell can run: callers pass no character it would act on.
    // Elsewhere a group of its own lets the program be stopped together with what it has started.
    const child = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'], env, windowsHide: true, shell: windows, detached: !windows })
    const stop = (): void => {
      try {
        if (windows || child.pid === undefined) child.kill('SIGKILL')
        else process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It has ended by itself meanwhile.
      }
    }
    const settle = (outcome: () => void): void => {
      signal.removeEventListener('abort', leave)
      child.stdout?.destroy()
      child.stderr?.destroy()
      outcome()
    }
    const leave = (): void => {
      stop()
      settle(() => reject(signal.reason))
    }
    signal.addEventListener('abort', leave, { once: true })
    child.on('error', (error) => settle(() => reject(error)))
    // Where the process may open no more files, a child that was not started has no streams.
    if (!child.stdout) return
    const output = { stdout: '', stderr: '' }
    let bytes = 0
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        bytes += text.length
        if (bytes > maxBytes) stop()
        else output[stream] += text
      })
    }
    child.on('close', (exitCode) => settle(() => resolve({ ...output, exitCode })))
  })
}
