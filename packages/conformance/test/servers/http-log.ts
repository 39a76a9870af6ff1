import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BayeuxMessage } from '@sfstream/core'
import { onTestFinished } from 'vitest'
import type { NoticeBoard } from './notice-board.ts'

/** One POST as it reached the server, whatever serves it. */
export interface SeenRequest {
  atMs: number
  path: string
  headers: IncomingHttpHeaders
  messages: BayeuxMessage[]
  /** The first message's channel, without `/meta/`. */
  what: string
  /** When the server called `end`. */
  answeredAtMs?: number
  /** The client went away before that. */
  aborted: boolean
  replyText: string
}

export interface HttpLog {
  readonly url: string
  readonly port: number
  readonly requests: SeenRequest[]
  /** Requests of one kind, such as 'connect'. */
  of(what: string): SeenRequest[]
  /** How many of a kind are unanswered; all kinds without an argument. */
  open(what?: string): number
  /** The most connects that were ever unanswered at a time. */
  readonly mostConnects: number
  close(): Promise<void>
}

export interface Handlers {
  /** At once, with the body still to be read. */
  onRequest?(request: IncomingMessage, response: ServerResponse): void
  /** When the body is in. */
  onBody?(seen: SeenRequest, request: IncomingMessage & { body?: unknown }, response: ServerResponse): void
}

/** An HTTP server on loopback that writes down every request. Closed when the test is over. */
export async function httpLog(board: NoticeBoard, handlers: Handlers, port = 0): Promise<HttpLog> {
  const requests: SeenRequest[] = []
  const isOpen = (seen: SeenRequest): boolean => seen.answeredAtMs === undefined && !seen.aborted
  let mostConnects = 0

  const http = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const messages = JSON.parse(Buffer.concat(chunks).toString()) as BayeuxMessage[]
      const what = String(messages[0]?.channel).replace('/meta/', '')
      const seen: SeenRequest = {
        atMs: Date.now(),
        path: request.url ?? '',
        headers: request.headers,
        messages,
        what,
        aborted: false,
        replyText: '',
      }
      requests.push(seen)
      const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse
      response.end = ((...args: unknown[]) => {
        if (isOpen(seen)) seen.answeredAtMs = Date.now()
        if (typeof args[0] === 'string') seen.replyText = args[0]
        end(...args)
        board.changed()
        return response
      }) as typeof response.end
      response.on('close', () => {
        if (isOpen(seen)) seen.aborted = true
        board.changed()
      })
      mostConnects = Math.max(mostConnects, log.open('connect'))
      handlers.onBody?.(seen, request, response)
      board.changed()
    })
    handlers.onRequest?.(request, response)
  })
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve))
  const address = http.address() as AddressInfo

  const log: HttpLog = {
    url: `http://127.0.0.1:${address.port}/cometd/66.0`,
    port: address.port,
    requests,
    of: (what) => requests.filter((request) => request.what === what),
    open: (what) => requests.filter((request) => isOpen(request) && (what === undefined || request.what === what)).length,
    get mostConnects() {
      return mostConnects
    },
    close: () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve())
        http.closeAllConnections()
      }),
  }
  onTestFinished(() => log.close())
  return log
}
