import type { IncomingMessage, ServerResponse } from 'node:http'
import cometd, { type CometDServer, type Options, type ServerMessage, type ServerSession } from 'cometd-nodejs-server'
import { onTestFinished } from 'vitest'
import { type HttpLog, httpLog, type SeenRequest } from './http-log.ts'
import type { NoticeBoard } from './notice-board.ts'

/** npm `cometd-nodejs-server` behind a request log. */
export interface CometdPeer extends HttpLog {
  server: CometDServer
  /** Sessions alive, oldest first. */
  readonly sessions: ServerSession[]
  /** How many sessions have a connect parked. */
  readonly held: number
  /** Channels of each subscribe that the server accepted, in order. */
  subscribed: string[]
  unsubscribed: string[]
  publish(channel: string, data?: unknown): void
  /** Forgets a session without a word to its client: what an expiry leaves behind. */
  forget(session: ServerSession): void
}

export interface CometdSettings {
  port?: number
  /** Answers in the server's place; false leaves it to the server. */
  intercept?(seen: SeenRequest, response: ServerResponse): boolean
}

interface Internals {
  _removeServerSession(session: ServerSession, timeout: boolean): void
}

export async function cometdServer(board: NoticeBoard, options: Options = {}, settings: CometdSettings = {}): Promise<CometdPeer> {
  const server = cometd.createCometDServer({ timeout: 10_000, maxInterval: 5_000, sweepPeriod: 50, ...options })
  const sessions: ServerSession[] = []
  const parked = new Set<ServerSession>()
  const subscribed: string[] = []
  const unsubscribed: string[] = []
  const note = <A extends unknown[]>(write: (...args: A) => void): ((...args: A) => void) => {
    return (...args) => {
      write(...args)
      board.changed()
    }
  }
  server.addListener(
    'sessionAdded',
    note((session: ServerSession) => {
      sessions.push(session)
      session.addListener(
        'suspended',
        note(() => parked.add(session)),
      )
      session.addListener(
        'resumed',
        note(() => parked.delete(session)),
      )
    }),
  )
  server.addListener(
    'sessionRemoved',
    note((session: ServerSession) => {
      sessions.splice(sessions.indexOf(session), 1)
      parked.delete(session)
    }),
  )
  server.addListener(
    'subscribed',
    note((channel: { name: string }) => subscribed.push(channel.name)),
  )
  server.addListener(
    'unsubscribed',
    // Without a message: the server's own clearing up after a session.
    note((channel: { name: string }, _session: ServerSession, message: ServerMessage | null) => {
      if (message) unsubscribed.push(channel.name)
    }),
  )
  const log = await httpLog(
    board,
    {
      onBody(seen, request: IncomingMessage & { body?: unknown }, response) {
        if (settings.intercept?.(seen, response)) return
        // The server writes into what it is given.
        request.body = structuredClone(seen.messages)
        server.handle(request, response)
      },
    },
    settings.port,
  )
  onTestFinished(() => server.close())
  return Object.defineProperties(
    {
      server,
      sessions,
      subscribed,
      unsubscribed,
      publish: (channel: string, data?: unknown) => server.createServerChannel(channel).publish(null, data),
      // Its own sweep does the same, a second later.
      forget: (session: ServerSession) => (server as unknown as Internals)._removeServerSession(session, false),
    },
    { ...Object.getOwnPropertyDescriptors(log), held: { get: () => parked.size } },
  ) as CometdPeer
}

/** POSTs to a Bayeux server beside the client: as its browser, with its clientId. */
export async function postAs(seen: SeenRequest, url: string, message: Record<string, unknown>): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(seen.headers.cookie ? { cookie: seen.headers.cookie } : {}) },
    body: JSON.stringify([{ id: 'beside', clientId: seen.messages[0]?.clientId, ...message }]),
  })
  return response.status === 200 ? response.json() : response.status
}
