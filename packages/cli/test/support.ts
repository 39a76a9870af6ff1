import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { ended, listen, runSource } from '../../node/test/support/child.ts'

const bin = new URL('../src/bin.ts', import.meta.url)

export interface Run {
  out: ReturnType<typeof listen>
  err: ReturnType<typeof listen>
  status: Promise<number | NodeJS.Signals>
  kill(signal: NodeJS.Signals): void
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
    kill: (signal) => void child.kill(signal),
    stopReading: () => void child.stdout.destroy(),
  }
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
