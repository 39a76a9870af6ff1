import type { ServerResponse } from 'node:http'
import type { BayeuxMessage } from '@sfstream/core'
import { type HttpLog, httpLog, type SeenRequest } from './http-log.ts'
import type { NoticeBoard } from './notice-board.ts'

/** Messages, nothing for ever, or whatever is written to the socket by hand. */
export type RawAnswer = BayeuxMessage[] | 'stall' | ((response: ServerResponse) => void)

/** The smallest Bayeux server (X): an answer per request as a test says, byte by byte where it likes; otherwise a friendly org. */
export interface RawServer extends HttpLog {
  /** The answers of a friendly org. */
  friendly(seen: SeenRequest): BayeuxMessage[]
  /** Answers the held poll: messages before its reply, or the whole answer. */
  push(...messages: BayeuxMessage[]): void
  answerPoll(answer: (response: ServerResponse, seen: SeenRequest) => void): void
  /** Answers the held poll with its reply changed. */
  replyToPoll(change: Partial<BayeuxMessage>): void
  readonly held: number
}

export type RawScript = (seen: SeenRequest, server: RawServer) => RawAnswer | undefined

export async function rawServer(board: NoticeBoard, script: RawScript = () => undefined): Promise<RawServer> {
  const polls: { seen: SeenRequest; response: ServerResponse }[] = []
  let handshakes = 0

  const write = (response: ServerResponse, answer: RawAnswer): void => {
    if (answer === 'stall') return
    if (typeof answer === 'function') return answer(response)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answer))
  }
  const friendly = ({ messages }: SeenRequest): BayeuxMessage[] =>
    messages.map((message) => {
      const reply: BayeuxMessage = { channel: message.channel as string, id: message.id as string, successful: true }
      switch (message.channel) {
        case '/meta/handshake':
          return {
            ...reply,
            clientId: `client${++handshakes}`,
            version: '1.0',
            supportedConnectionTypes: ['long-polling'],
            ext: { replay: true },
          }
        case '/meta/connect':
          return message.advice ? { ...reply, advice: { reconnect: 'retry', interval: 0, timeout: 110_000 } } : reply
        case '/meta/subscribe':
        case '/meta/unsubscribe':
          return { ...reply, subscription: message.subscription as string }
        default:
          return reply
      }
    })

  const log = await httpLog(board, {
    onBody(seen, _request, response) {
      const scripted = script(seen, server)
      if (scripted !== undefined) return write(response, scripted)
      if (seen.what !== 'connect' || seen.messages[0]?.advice) return write(response, friendly(seen))
      const poll = { seen, response }
      polls.push(poll)
      response.on('close', () => {
        if (polls.includes(poll)) polls.splice(polls.indexOf(poll), 1)
      })
    },
  })
  const server: RawServer = Object.defineProperties(
    {
      friendly,
      push(...messages: BayeuxMessage[]) {
        const poll = takePoll()
        write(poll.response, [...messages, ...friendly(poll.seen)])
      },
      answerPoll(answer: (response: ServerResponse, seen: SeenRequest) => void) {
        const { seen, response } = takePoll()
        answer(response, seen)
      },
      replyToPoll(change: Partial<BayeuxMessage>) {
        const { seen, response } = takePoll()
        write(
          response,
          friendly(seen).map((reply) => ({ ...reply, ...change })),
        )
      },
    },
    { ...Object.getOwnPropertyDescriptors(log), held: { get: () => polls.length } },
  ) as RawServer
  const takePoll = (): (typeof polls)[number] => {
    const poll = polls.shift()
    if (!poll) throw new Error('No poll is held.')
    return poll
  }
  return server
}

/** A platform event as an org sends it. */
export function orderEvent(replayId: number, text = ''): BayeuxMessage {
  return { channel: '/event/Order__e', data: { event: { replayId }, payload: { n: replayId, text } } }
}
