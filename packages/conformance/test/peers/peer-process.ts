import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type PeerName = 'cometd' | 'faye' | 'jsforce' | 'salesforce-core'

export interface PeerOptions {
  url: string
  token: string
  subscriptions: { channel: string; replay?: number }[]
  /** How many events the peer is after, for the one that ends by itself. */
  wanted?: number
}

/** What a peer says about itself. */
export interface PeerReport {
  kind: 'ready' | 'event' | 'failed' | 'again' | 'error' | 'stopped' | 'ended'
  channel?: string
  error?: string
  reason?: string
  text?: string
  data?: { event?: { replayId?: number }; payload?: unknown; sobject?: Record<string, unknown> }
}

export interface Peer {
  readonly reports: readonly PeerReport[]
  /** Resolves once `enough` holds for what was reported; rejects when the process ends before. */
  until(enough: (reports: readonly PeerReport[]) => boolean): Promise<void>
  events(): PeerReport[]
  stop(): Promise<void>
  kill(): Promise<void>
}

/** A client that others wrote, in a process of its own: some change the globals of theirs. */
export function startPeer(peer: PeerName, options: PeerOptions): Peer {
  const home = mkdtempSync(join(tmpdir(), 'sfstream-peer-'))
  const script = fileURLToPath(new URL('./clients/child.mjs', import.meta.url))
  const env = {
    ...process.env,
    HOME: home,
    SF_DISABLE_TELEMETRY: 'true',
    SF_LOG_LEVEL: 'fatal',
    SF_DISABLE_LOG_FILE: 'true',
    SFDX_DISABLE_TELEMETRY: 'true',
  }
  const child: ChildProcess = fork(script, [JSON.stringify({ peer, ...options })], { env, silent: true, execArgv: [] })
  const reports: PeerReport[] = []
  const waiting = new Set<() => void>()
  let output = ''
  let ended = false
  const wake = (): void => {
    for (const check of [...waiting]) check()
  }
  child.stderr?.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4_000)
  })
  child.stdout?.resume()
  child.on('message', (message) => {
    reports.push(message as PeerReport)
    wake()
  })
  const exit = new Promise<void>((resolve) => {
    child.once('exit', () => {
      ended = true
      rmSync(home, { recursive: true, force: true })
      wake()
      resolve()
    })
  })
  return {
    reports,
    until: (enough) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (enough(reports)) resolve()
          else if (ended) reject(new Error(`${peer} ended early; it had reported ${JSON.stringify(reports)}\n${output}`))
          else return
          waiting.delete(check)
        }
        waiting.add(check)
        check()
      }),
    events: () => reports.filter((report) => report.kind === 'event'),
    async stop() {
      child.send('stop')
      await exit
    },
    async kill() {
      if (!ended) child.kill('SIGKILL')
      await exit
    },
  }
}
