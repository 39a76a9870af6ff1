import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const sources = new URL('../../../conformance/sources.mjs', import.meta.url).href

/** Runs a TypeScript file of the sources in a process of its own. */
export function runSource(
  file: URL,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  cwd?: string,
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--import', sources, fileURLToPath(file), ...args], { env, cwd })
}

/** The exit code, or the signal's name, once all output is in. */
export async function ended(child: ChildProcessWithoutNullStreams): Promise<number | NodeJS.Signals> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return code ?? signal ?? -1
}

/** Keeps what a stream says, and resolves `until` as soon as the text so far satisfies the condition. */
export function listen(stream: NodeJS.ReadableStream): {
  readonly text: string
  until(condition: (text: string) => boolean): Promise<void>
} {
  let text = ''
  let waiting: { condition: (text: string) => boolean; resolve: () => void; reject: (reason: Error) => void }[] = []
  stream.setEncoding('utf8')
  stream.on('data', (piece: string) => {
    text += piece
    waiting = waiting.filter((waiter) => {
      if (!waiter.condition(text)) return true
      waiter.resolve()
      return false
    })
  })
  stream.on('end', () => {
    for (const waiter of waiting.splice(0)) waiter.reject(new Error(`The stream ended first:\n${text}`))
  })
  return {
    get text() {
      return text
    },
    until: (condition) =>
      condition(text) ? Promise.resolve() : new Promise((resolve, reject) => waiting.push({ condition, resolve, reject })),
  }
}
