import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A process of its own that answers commands (`serveCommands`). */
export interface ServedProcess<Command, View> {
  /** @throws Error with the other process's words, or when it has ended. */
  ask(command: Command): Promise<View>
  /** Lets go of it; resolves with how it ended: 0 when nothing kept it alive. */
  release(): Promise<number | string>
}

const sources = new URL('../sources.mjs', import.meta.url).href

export function servedProcess<Command, View>(file: URL): ServedProcess<Command, View> {
  const child = fork(fileURLToPath(file), { execArgv: ['--disable-warning=ExperimentalWarning', '--expose-gc', '--import', sources] })
  const asked = new Map<number, { resolve(view: View): void; reject(error: Error): void }>()
  let last = 0
  const ended = once(child, 'exit').then(([code, signal]: (number | string | null)[]) => {
    for (const { reject } of asked.values()) reject(new Error(`${fileURLToPath(file)} ended with ${code ?? signal}.`))
    return code ?? signal ?? 'nothing'
  })
  child.on('message', ({ id, view, error }: { id: number; view: View; error?: string }) => {
    const waiting = asked.get(id)
    asked.delete(id)
    if (error === undefined) waiting?.resolve(view)
    else waiting?.reject(new Error(error))
  })
  return {
    ask: (command) =>
      new Promise((resolve, reject) => {
        last += 1
        asked.set(last, { resolve, reject })
        child.send({ id: last, command }, (error) => error && reject(error))
      }),
    release() {
      if (child.connected) child.disconnect()
      return ended
    },
  }
}
