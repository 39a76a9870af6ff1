import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { ended, listen, runSource } from '../../node/test/support/child.ts'

const bin = new URL('../src/bin.ts', import.meta.url)

export interface Run {
  out: ReturnType<typeof listen>
  err: ReturnType<typeof listen>
  status: Promise<number | NodeJS.Signals>
  /** The same, whether its output has been read or not. */
  exited: Promise<number | NodeJS.Signals>
  kill(signal: NodeJS.Signals): void
  /** Reads no more, but leaves it open. */
  standStill(): void
  readOn(): void
  /** As `| head` does once it has had enough. */
  stopReading(): void
}

/** Runs the command line as a process of its own, with nothing of the caller's environment but the path. */
export function sfstream(args: readonly string[], env: Record<string, string> = {}, cwd?: string): Run {
  const child = runSource(bin, args, { PATH: process.env.PATH, ...env }, cwd)
  return {
    out: listen(child.stdout),
    err: listen(child.stderr),
    status: ended(child),
    exited: once(child, 'exit').then(([code, signal]) => (code ?? signal ?? -1) as number | NodeJS.Signals),
    kill: (signal) => void child.kill(signal),
    standStill: () => void child.stdout.pause(),
    readOn: () => void child.stdout.resume(),
    stopReading: () => void child.stdout.destroy(),
  }
}

/** The same with its output in a file. */
export function sfstreamInto(path: string, args: readonly string[], env: Record<string, string>): Pick<Run, 'err' | 'status'> {
  const sources = new URL('../../conformance/sources.mjs', import.meta.url).href
  const program = [process.execPath, '--disable-warning=ExperimentalWarning', '--import', sources, fileURLToPath(bin)]
  const child = spawn('sh', ['-c', 'exec "$@" > "$OUT"', 'sh', ...program, ...args], { env: { PATH: process.env.PATH, OUT: path, ...env } })
  return { err: listen(child.stderr), status: ended(child) }
}

export const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

export interface Stage extends MockOrgServer {
  /** What `tail` and `publish` need to log in. */
  env: Record<string, string>
  store: string
  leave(): Promise<void>
}

export const channel = '/event/Order__e'

/** An org with one more channel, and a folder for positions. */
export async function stage(options: Parameters<typeof startMockOrgServer>[0] = {}): Promise<Stage> {
  const server = await startMockOrgServer({ channels: [channel, '/u/Notices'], ...options })
  const store = await mkdtemp(join(tmpdir(), 'sfstream-cli-'))
  const { clientId, clientSecret } = server.org.credentials
  return {
    ...server,
    store,
    env: { SF_LOGIN_URL: server.url, SF_CLIENT_ID: clientId, SF_CLIENT_SECRET: clientSecret },
    leave: async () => {
      await server.close()
      await rm(store, { recursive: true, force: true })
    },
  }
}
