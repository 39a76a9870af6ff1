import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { BayeuxMessage } from '@sfstream/core'
import { describe, expect, it } from 'vitest'
import type { SeenRequest } from './http-log.ts'
import { noticeBoard } from './notice-board.ts'
import { orderEvent, rawServer } from './raw-server.ts'
import { testClient } from './test-client.ts'

const channel = '/event/Order__e'

async function live() {
  const board = noticeBoard()
  const server = await rawServer(board)
  const made = testClient(board, server.url)
  const subscription = made.client.subscribe(channel, { maxBuffered: 100_000 })
  const reading = made.read(subscription)
  await subscription.ready
  await board.until('poll', () => server.held === 1)
  return { board, server, reading, ...made }
}

type Fault = (response: ServerResponse, reply: BayeuxMessage[]) => void

const json = (messages: BayeuxMessage[]): string => JSON.stringify(messages)
/** Writes, and goes on once the bytes have left. */
const written = (response: ServerResponse, bytes: string | Buffer, then: () => void): void =>
  void response.write(bytes, () => setImmediate(then))

/** Event 1 comes whole; the reply is whole too, in some unusual dress. */
const whole: Record<string, Fault> = {
  gzip: (response, reply) => void response.setHeader('content-encoding', 'gzip').end(gzipSync(json([orderEvent(1, 'ü'), ...reply]))),
  'pieces cut inside a character': (response, reply) => {
    const bytes = Buffer.from(json([orderEvent(1, 'ü€😀'), ...reply]))
    const at = bytes.indexOf(Buffer.from('😀')) + 2
    written(response, bytes.subarray(0, at), () => response.end(bytes.subarray(at)))
  },
  'a byte order mark': (response, reply) => void response.end(`\uFEFF${json([orderEvent(1), ...reply])}`),
  'white space around': (response, reply) => void response.end(`\n ${json([orderEvent(1), ...reply])} \n`),
  'a single message, not an array': (response) => void response.end(JSON.stringify(orderEvent(1))),
  'a media type of text': (response, reply) => void response.setHeader('content-type', 'text/plain').end(json([orderEvent(1), ...reply])),
}

/** No event arrives; the poll failed in some way. */
const broken: Record<string, Fault> = {
  'a reset before any byte': (response) => void response.socket?.resetAndDestroy(),
  'a reset inside the first message': (response) => written(response, '[{"channel":"/event/Or', () => response.socket?.resetAndDestroy()),
  'JSON cut off': (response) => void response.end('[{"channel":"/event/Order__e","data":{"event":{"repl'),
  'an empty body': (response) => void response.end(),
  'HTTP 204': (response) => void response.writeHead(204).end(),
  'a login page': (response) => void response.setHeader('content-type', 'text/html').end('<!DOCTYPE html><html><body>Log in</body></html>'),
  'HTTP 500 with a page': (response) => void response.writeHead(500, { 'content-type': 'text/html' }).end('<html>oops</html>'),
  'a number': (response) => void response.end('7'),
  'an array of nothing known': (response) => void response.end('[1,null,"x",[]]'),
}

describe('bytes', () => {
  it.each(Object.entries(whole))('C77 [X] %s: read as it is meant', async (_name, fault) => {
    const { board, server, reading, reports } = await live()
    server.answerPoll((response, seen) => fault(response, server.friendly(seen)))
    await board.until('event, and the next poll', () => reading.events.length === 1 && server.held === 1)
    expect(reading.events[0]?.replayId).toBe(1)
    expect(reports('retry')).toEqual([])
    expect(JSON.stringify(reading.events[0]?.payload)).not.toContain('\uFFFD')
  })

  it.each(Object.entries(broken))('C77 [X] %s: the same session again, resubscribed', async (_name, fault) => {
    const { board, server, reading, reports } = await live()
    server.answerPoll((response, seen) => fault(response, server.friendly(seen)))
    await board.until('poll again', () => server.held === 1 && server.of('subscribe').length === 2)
    server.push(orderEvent(1))
    await board.until('event', () => reading.events.length === 1)
    expect(reports('retry').length).toBe(1)
    expect(server.of('handshake').length).toBe(1)
  })

  it('C77 [X] a reset inside a later message: what came whole is delivered, the rest asked for again', async () => {
    const { board, server, reading } = await live()
    const text = json([orderEvent(1), orderEvent(2), orderEvent(3)])
    server.answerPoll((response) => written(response, text.slice(0, -30), () => response.socket?.resetAndDestroy()))
    await board.until('resubscribed', () => server.held === 1 && server.of('subscribe').length === 2)
    // Event 2 may share its id with one that was cut off, so it is asked for again, and dropped.
    expect(server.of('subscribe')[1]?.messages[0]?.ext).toEqual({ replay: { [channel]: 1 } })
    server.push(orderEvent(2), orderEvent(3))
    await board.until('events', () => reading.events.length === 3)
    expect(reading.events.map((event) => event.replayId)).toEqual([1, 2, 3])
  })

  it('C77 [X] connections that end after each reply, though none says so: subscribed all the same, and live', async () => {
    const board = noticeBoard()
    const closing = (seen: SeenRequest, ...events: BayeuxMessage[]) => {
      return (response: ServerResponse) => {
        const { socket } = response
        response.end(json([...events, ...server.friendly(seen)]))
        socket?.end()
      }
    }
    const server = await rawServer(board, (seen) => (seen.what === 'connect' && !seen.messages[0]?.advice ? undefined : closing(seen)))
    const { client, read, reports } = testClient(board, server.url)
    const reading = read(client.subscribe(channel))
    await board.until('poll', () => server.held === 1 && server.of('subscribe').length > 0)
    // Nothing is replayed here, so it is sent until it arrives.
    await board.until('event', () => {
      if (reading.events.length === 0 && server.held === 1) server.answerPoll((response, seen) => closing(seen, orderEvent(1))(response))
      return reading.events.length > 0
    })
    expect(reports('retry').length).toBeLessThan(3)
  })

  it('C77 [X] an array of 10 MB', async () => {
    const { board, server, reading } = await live()
    const events = Array.from({ length: 10_000 }, (_, n) => orderEvent(n + 1, 'x'.repeat(1_000)))
    server.push(...events)
    await board.until('events', () => reading.events.length === 10_000, 15_000)
    expect(reading.events.at(-1)?.replayId).toBe(10_000)
  })

  it('C77 [X] a login page again and again, and a token that cannot be replaced: goes on, and recovers', async () => {
    const board = noticeBoard()
    let pages = 6
    const server = await rawServer(board, () => (pages-- > 0 ? (response) => void response.end('<html>Log in</html>') : undefined))
    const { client, reports } = testClient(board, server.url)
    await client.start()
    expect(server.of('handshake').length).toBe(7)
    expect(reports('reauthenticated')).toEqual([])
  })

  it('C77 [X] a redirect to a login page takes no token along', async () => {
    const board = noticeBoard()
    const login = await rawServer(board)
    const server = await rawServer(board, () => (response) => void response.writeHead(302, { location: `${login.url}/login` }).end())
    const { client } = testClient(board, server.url)
    await expect(client.start()).rejects.toMatchObject({ code: 'redirected' })
    expect(login.requests).toEqual([])
    expect(server.requests.length).toBe(1)
  })

  it('C78 [X] a body that stands still for 30 s is given up; what came whole is delivered', async () => {
    const { board, server, reading, clock, reports } = await live()
    const poll = server.of('connect')[1]
    server.answerPoll((response) => void response.write(json([orderEvent(1), orderEvent(2), orderEvent(3)]).slice(0, -30)))
    // The first bytes are in when the deadline of the headers no longer applies.
    await clock.pass(25_000)
    expect(poll?.aborted).toBe(false)
    await clock.pass(10_000)
    await board.until('resubscribed', () => server.held === 1 && server.of('subscribe').length === 2)
    expect(poll?.aborted).toBe(true)
    server.push(orderEvent(2), orderEvent(3))
    await board.until('events', () => reading.events.length === 3)
    expect(reading.events.map((event) => event.replayId)).toEqual([1, 2, 3])
    expect(reports('retry').length).toBe(1)
  })

  it('C78 [X] a body that drips for ever is given up after 10 minutes in all', async () => {
    const { board, server, clock } = await live()
    const poll = server.of('connect')[1]
    let drip = (): void => {}
    server.answerPoll((response) => {
      drip = () => void response.write(' ')
      drip()
    })
    for (let seconds = 0; seconds < 590; seconds += 10) {
      await clock.pass(10_000)
      drip()
      // Each drop has to arrive before more time passes.
      await new Promise<void>((resolve) => setTimeout(resolve, 2))
    }
    expect(poll?.aborted).toBe(false)
    await clock.pass(20_000)
    await board.until('given up', () => poll?.aborted === true)
  })
})

describe('cookies', () => {
  it('C73 [X] path, domain, expiry, quotes and commas, each line on its own', async () => {
    const board = noticeBoard()
    const lines = [
      'plain=1; Path=/cometd/',
      'routing=!a+/b==; Expires=Wed, 01 Jan 2098 00:00:00 GMT; Path=/; HttpOnly; SameSite=None',
      'quoted="a b"; Path=/cometd',
      'secure=1; Path=/; Secure',
      'elsewhere=1; Path=/services/',
      'foreign=1; Domain=.salesforce.com; Path=/',
      'gone=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
      'aged=1; Path=/; Max-Age=0; Expires=Wed, 01 Jan 2098 00:00:00 GMT',
    ]
    const server = await rawServer(board, (seen, { friendly }) =>
      seen.what === 'handshake'
        ? (response) => void response.setHeader('set-cookie', lines).end(JSON.stringify(friendly(seen)))
        : undefined,
    )
    await testClient(board, server.url).client.start()
    // Secure cookies go to loopback too, as in browsers.
    expect(server.of('connect')[0]?.headers.cookie?.split('; ').sort()).toEqual(['plain=1', 'quoted="a b"', 'routing=!a+/b==', 'secure=1'])
  })

  it('C75 [X] a cookie that changes within a session is sent from the next request on', async () => {
    const board = noticeBoard()
    let rotation = 0
    const server = await rawServer(board, (seen, { friendly }) => {
      if (seen.what !== 'handshake' && !seen.messages[0]?.advice) return undefined
      return (response) => void response.setHeader('set-cookie', `sfdc-stream=${++rotation}; Path=/`).end(JSON.stringify(friendly(seen)))
    })
    await testClient(board, server.url).client.start()
    await board.until('poll', () => server.held === 1)
    expect(server.requests.map(({ headers }) => headers.cookie)).toEqual([undefined, 'sfdc-stream=1', 'sfdc-stream=2'])
  })
})
