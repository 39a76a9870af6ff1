import { Agent, type ClientRequest } from 'node:http'
import type { Socket } from 'node:net'

/** How connections are kept; it has none itself. */
const rules = new Agent({
  keepAlive: true,
  // As Node's fetch has it. By Node's own default of a second, each held poll would be a packet a second.
  keepAliveMsecs: 60_000,
  // An idle connection is closed before servers and networks forget it, which would be seen only when a request is lost on it. As fetch does.
  timeout: 4_000,
})

/**
 * Sets how an agent of one client keeps its connections: one that lies idle for too long is destroyed by the agent itself. With a
 * `timeout` of its own it would watch held polls too, with a timer for each, and a listener on each request.
 */
export function kept<T extends Agent>(agent: T): T {
  // A poll, a request beside it and a goodbye; and one whose connection is just being closed. More is a fault, and waits.
  agent.maxSockets = 4
  // One for polls, one for what goes beside them.
  agent.maxFreeSockets = 2
  return Object.assign(agent, { keepSocketAlive, reuseSocket })
}

/** A connection is about to lie idle. Answers, though the types do not say so, with false where it is to be closed: a server may close it too soon. */
function keepSocketAlive(socket: Socket): void {
  return rules.keepSocketAlive(socket)
}

function reuseSocket(socket: Socket, request: ClientRequest): void {
  socket.setTimeout(0)
  rules.reuseSocket(socket, request)
}
