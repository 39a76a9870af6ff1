import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ServerCommands } from '../server/plan.ts'

type Asked = {
  [Name in keyof ServerCommands]: (...args: Parameters<ServerCommands[Name]>) => Promise<Awaited<ReturnType<ServerCommands[Name]>>>
}

/** The neutral server in its process, and what it can be asked. */
export type ServerProcess = Asked & { readonly url: string; stop(): void }

export async function startServer(): Promise<ServerProcess> {
  const script = fileURLToPath(new URL('../server/server-process.ts', import.meta.url))
  const child = fork(script, [], { execArgv: ['--disable-warning=ExperimentalWarning'] })
  const waiting = new Map<number, (result: unknown) => void>()
  let id = 0
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server's process ended with ${code}`)))
    child.on('message', (message: { url: string } | { id: number; result: unknown }) => {
      if ('url' in message) return resolve(message.url)
      waiting.get(message.id)?.(message.result)
      waiting.delete(message.id)
    })
  })
  const ask = (name: string, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (!child.connected) return reject(new Error('the server has ended'))
      waiting.set(++id, resolve)
      child.send({ id, name, args })
    })
  const own = { url, stop: () => child.disconnect() }
  // Every other name is a command.
  return new Proxy(own as ServerProcess, {
    get: (target, name) => (name === 'then' ? undefined : (Reflect.get(target, name) ?? ((...args: unknown[]) => ask(String(name), args)))),
  })
}
