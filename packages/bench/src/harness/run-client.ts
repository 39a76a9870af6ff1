import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Job, JobResults, ToldByClient } from '../tasks/job.ts'

/** A client's process, at work on one job. */
export interface ClientRun<Result> {
  readonly result: Promise<Result>
  /** Resolves when the client has told this; rejects when it ends without. */
  told(what: 'ready' | 'began'): Promise<void>
  /** For the jobs that go on until they are told. */
  go(): void
}

export interface RunOptions {
  /** More for the node of the client. */
  nodeArgs?: readonly string[]
  timeoutMs?: number
}

/** Each client in a process of its own: some change globals, and each is to be compiled for its own load alone. */
export function runClient<Task extends Job['task']>(
  job: Extract<Job, { task: Task }>,
  { nodeArgs = [], timeoutMs = 180_000 }: RunOptions = {},
): ClientRun<JobResults[Task]> {
  const home = mkdtempSync(join(tmpdir(), 'sfstream-bench-'))
  const script = fileURLToPath(new URL('../clients/client-process.ts', import.meta.url))
  const child = fork(script, [JSON.stringify(job)], {
    env: cleanEnvironment(home),
    cwd: home,
    silent: true,
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning', ...nodeArgs],
  })
  const heard = new Set<string>()
  const listeners = new Set<() => void>()
  let result: JobResults[Task] | undefined
  let failure: string | undefined
  let output = ''
  child.stdout?.resume()
  child.stderr?.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4_000)
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  child.on('message', (message: ToldByClient<JobResults[Task]>) => {
    if (message.kind === 'result') result = message.result
    else if (message.kind === 'error') failure = message.text
    else heard.add(message.kind)
    for (const listener of listeners) listener()
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve())).then(() => {
    clearTimeout(timer)
    rmSync(home, { recursive: true, force: true })
    if (result === undefined) failure ??= `ended without a result`
    for (const listener of listeners) listener()
  })
  const broken = (): Error => new Error(`${job.client} (${job.task}): ${failure}\n${output}`)
  return {
    result: ended.then(() => {
      if (result === undefined) throw broken()
      return result
    }),
    told: (what) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (heard.has(what)) resolve()
          else if (failure) reject(broken())
          else return
          listeners.delete(look)
        }
        listeners.add(look)
        look()
      }),
    go: () => child.connected && child.send('go'),
  }
}

/** No proxy of this machine, no telemetry of a peer, no home to find logins in. */
function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/proxy|^NODE_OPTIONS$/i.test(name)))
  return { ...env, HOME: home, SF_DISABLE_TELEMETRY: 'true', SF_LOG_LEVEL: 'fatal', SF_DISABLE_LOG_FILE: 'true', NO_COLOR: '1' }
}
