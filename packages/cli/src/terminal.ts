import picocolors from 'picocolors'
import { Stopped } from './stopped.ts'

export type Colors = ReturnType<typeof picocolors.createColors>

/** Where a command writes. Results go to `out`, everything about them to `err`. */
export interface Terminal {
  readonly colors: Colors
  /** Those of `note`. */
  readonly noteColors: Colors
  /** Room in a line; Infinity where the output is not a screen. */
  readonly columns: number
  /** Resolves once the line has left the process; rejects with Stopped when nobody reads any more, or with what else keeps it, such as a full disk. */
  print(line: string): Promise<void>
  note(line: string): void
  /** Calls back, once, when the reader has gone, or nothing can be written for another reason. */
  onBroken(listener: () => void): void
  /** The end has been asked for: who reads has two seconds to take what is left. Then it is given up, and `print` rejects with Stopped. */
  hurry(): void
  /** Something was left that nobody took: the process would wait for them. */
  readonly givenUp: boolean
}

const lastWordsMs = 2_000

interface Stream extends NodeJS.WritableStream {
  isTTY?: boolean
  columns?: number
}

export function terminal(out: Stream, err: Stream, env: Readonly<Record<string, string | undefined>>): Terminal {
  /** Why nothing can be written any more. */
  let broken: Error | undefined
  let givenUp = false
  const listeners: (() => void)[] = []
  /** Of what is being written. */
  const waiting = new Set<(reason: Error) => void>()
  const isBroken = (error: Error | null | undefined): boolean =>
    ['EPIPE', 'ERR_STREAM_DESTROYED'].includes((error as NodeJS.ErrnoException | null)?.code ?? '')
  out.on('error', (error) => {
    if (broken) return
    broken = isBroken(error) ? new Stopped() : error
    for (const listener of listeners.splice(0)) listener()
  })
  // Notes are lost when nobody reads them.
  err.on('error', () => {})
  return {
    colors: picocolors.createColors(colored(out, env)),
    noteColors: picocolors.createColors(colored(err, env)),
    columns: out.isTTY ? (out.columns ?? 80) : Number.POSITIVE_INFINITY,
    print: (line) =>
      broken
        ? Promise.reject(broken)
        : new Promise((resolve, reject) => {
            waiting.add(reject)
            out.write(`${line}\n`, (error) => {
              waiting.delete(reject)
              if (!error) resolve()
              else reject(isBroken(error) ? new Stopped() : error)
            })
          }),
    note: (line) => {
      err.write(`${line}\n`)
    },
    onBroken: (listener) => {
      listeners.push(listener)
    },
    hurry() {
      // What waits to be written keeps the process alive by itself.
      setTimeout(() => {
        if (waiting.size === 0) return
        givenUp = true
        broken ??= new Stopped()
        for (const reject of waiting) reject(broken)
      }, lastWordsMs).unref()
    },
    get givenUp() {
      return givenUp
    },
  }
}

/** no-color.org: set and not empty means no. */
function colored(out: Stream, env: Readonly<Record<string, string | undefined>>): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0'
  return out.isTTY === true && env.TERM !== 'dumb'
}
