import { benchServer } from './bench-server.ts'
import type { ServerCommand } from './plan.ts'

// The server's own process: tells its address, then does what its parent asks.
const server = await benchServer()
process.send?.({ url: server.url })
process.on('message', async ({ id, name, args }: ServerCommand) => {
  const run = server.commands[name] as (...given: unknown[]) => unknown
  process.send?.({ id, result: await run(...args) })
})
process.on('disconnect', () => process.exit(0))
