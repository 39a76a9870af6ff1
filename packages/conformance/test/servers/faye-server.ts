import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { BayeuxMessage } from '@sfstream/core'
import { onTestFinished } from 'vitest'
import { type HttpLog, httpLog } from './http-log.ts'
import type { NoticeBoard } from './notice-board.ts'

/** What is used of npm `faye`, which ships no types. */
interface FayeAdapter {
  handle(request: IncomingMessage, response: ServerResponse): void
  addExtension(extension: FayeExtension): void
  getClient(): { publish(channel: string, data: unknown): PromiseLike<void> }
  on(event: string, listener: (clientId: string, channel: string) => void): void
  close(): void
}

export interface FayeExtension {
  incoming?(message: BayeuxMessage, next: (message: BayeuxMessage) => void): void
  outgoing?(message: BayeuxMessage, next: (message: BayeuxMessage) => void): void
}

const { NodeAdapter } = createRequire(import.meta.url)('faye') as {
  NodeAdapter: new (options: { mount: string; timeout: number }) => FayeAdapter
}

/** npm `faye`'s server behind a request log. */
export interface FayePeer extends HttpLog {
  adapter: FayeAdapter
  subscribed: string[]
  unsubscribed: string[]
  /** Sessions made and given up. */
  handshakes: number
  disconnects: number
  publish(channel: string, data: unknown): void
}

export async function fayeServer(board: NoticeBoard, timeoutSeconds = 10): Promise<FayePeer> {
  const adapter = new NodeAdapter({ mount: '/cometd', timeout: timeoutSeconds })
  const log = await httpLog(board, { onRequest: (request, response) => adapter.handle(request, response) })
  const peer: FayePeer = Object.defineProperties(
    {
      adapter,
      subscribed: [] as string[],
      unsubscribed: [] as string[],
      handshakes: 0,
      disconnects: 0,
      publish: (channel: string, data: unknown) => void adapter.getClient().publish(channel, data),
    },
    Object.getOwnPropertyDescriptors(log),
  ) as FayePeer
  adapter.on('handshake', () => {
    peer.handshakes++
    board.changed()
  })
  adapter.on('disconnect', () => {
    peer.disconnects++
    board.changed()
  })
  adapter.on('subscribe', (_clientId, channel) => {
    peer.subscribed.push(channel)
    board.changed()
  })
  adapter.on('unsubscribe', (_clientId, channel) => {
    peer.unsubscribed.push(channel)
    board.changed()
  })
  onTestFinished(() => adapter.close())
  return peer
}
