import { describe, expect, it } from 'vitest'
import { type CometdPeer, cometdServer } from './cometd-server.ts'
import type { SeenRequest } from './http-log.ts'
import { type NoticeBoard, noticeBoard } from './notice-board.ts'
import { type TestClient, testClient } from './test-client.ts'

const unanswered = (what: string) => (seen: SeenRequest) => seen.what === what

/** A server that leaves some requests unanswered for ever. */
async function stallingServer(board: NoticeBoard, stalls: (seen: SeenRequest) => boolean): Promise<CometdPeer> {
  return cometdServer(board, {}, { intercept: (seen) => stalls(seen) })
}

describe('cookies', () => {
  it('C72 [N] the browser cookie of the handshake is sent with everything after it', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client } = testClient(board, peer.url)
    await client.subscribe('/a').ready
    await board.until('poll', () => peer.held === 1)
    const [handshake, ...later] = peer.requests
    expect(handshake?.headers.cookie).toBeUndefined()
    const cookies = new Set(later.map((request) => request.headers.cookie))
    expect(cookies.size).toBe(1)
    expect([...cookies][0]).toMatch(/^BAYEUX_BROWSER=[0-9a-f]{40}$/)
  })

  it('C72 [N] a fetch that loses cookies: reported, with growing delays', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client, reports } = testClient(board, peer.url, {
      platform: {
        fetch: (input, init) => {
          const { cookie: _, ...headers } = (init?.headers ?? {}) as Record<string, string>
          return fetch(input, { ...init, headers })
        },
      },
      retry: { handshake: { baseMs: 20, jitter: 'none', capMs: 10_000 } },
    })
    client.subscribe('/a')
    await board.until('5 handshakes', () => peer.of('handshake').length >= 5)
    expect(reports('rehandshake').every(({ reason }) => reason.includes('session_unknown'))).toBe(true)
    const times = peer.of('handshake').map((request) => request.atMs)
    // The first is repeated at once, as after any lost session; then 20, 40, 80 ms.
    const gaps = times.slice(1).map((at, index) => at - times[index]!)
    for (const [index, least] of [0, 20, 40, 80].entries()) expect(gaps[index]).toBeGreaterThanOrEqual(least - 1)
  })

  it('C74 [N] two clients in one process are two browsers', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const clients = [testClient(board, peer.url), testClient(board, peer.url)]
    await Promise.all(clients.map(({ client }) => client.start()))
    await board.until('both held', () => peer.held === 2)
    expect(new Set(peer.of('connect').map((request) => request.headers.cookie)).size).toBe(2)
    for (const { reports } of clients) expect(reports('multipleClients')).toEqual([])
  })
})

type Bring = (board: NoticeBoard) => Promise<{ peer: CometdPeer; made: TestClient; controller: AbortController }>

const bringTo =
  (stalls: (seen: SeenRequest) => boolean, there: (peer: CometdPeer, made: TestClient) => boolean): Bring =>
  async (board) => {
    const peer = await stallingServer(board, stalls)
    const controller = new AbortController()
    const made = testClient(board, peer.url, {
      signal: controller.signal,
      retry: { handshake: { baseMs: 60_000, jitter: 'none' }, connect: { baseMs: 60_000, jitter: 'none' } },
    })
    made.client.subscribe('/a').ready.catch(() => {})
    await board.until('the state', () => there(peer, made))
    return { peer, made, controller }
  }

/** Every state that a client can be in when it is stopped. */
const states: Record<string, Bring> = {
  handshaking: bringTo(unanswered('handshake'), (peer) => peer.open('handshake') === 1),
  connecting: bringTo(unanswered('connect'), (peer) => peer.open('connect') === 1 && peer.open('subscribe') === 0),
  subscribing: bringTo(unanswered('subscribe'), (peer) => peer.open('subscribe') === 1),
  live: bringTo(
    () => false,
    (peer) => peer.held === 1 && peer.subscribed.length === 1,
  ),
  'backing off before a handshake': async (board) => {
    const brought = await bringTo(
      () => false,
      ({ held }) => held === 1,
    )(board)
    await brought.peer.close()
    await board.until('waiting', () => brought.made.client.state === 'waiting')
    return brought
  },
}

describe('abort', () => {
  it.each(Object.keys(states))('C79 [N] while %s: no timer, no request and no loop is left', async (name) => {
    const board = noticeBoard()
    const rejections: unknown[] = []
    const onRejection = (reason: unknown): number => rejections.push(reason)
    process.on('unhandledRejection', onRejection)
    const { peer, made, controller } = await states[name]!(board)
    const reading = made.read(made.client.subscribe('/b'))
    controller.abort(new Error('enough'))
    await board.until('the loop to end', () => reading.ended !== undefined)
    expect(reading.ended).toEqual(new Error('enough'))
    await made.client.stop()
    await board.until('no request open', () => peer.open() === 0)
    expect(made.clock.pending).toBe(0)
    expect(made.client.state).toBe('stopped')
    const before = peer.requests.length
    // One turn for anything that might still be on its way.
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect(peer.requests.length).toBe(before)
    process.off('unhandledRejection', onRejection)
    expect(rejections).toEqual([])
  })
})

describe('stop', () => {
  it('C80 [N] says goodbye once, ends every loop, and can start again', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client, clock, read } = testClient(board, peer.url)
    const reading = read(client.subscribe('/a'))
    await board.until('poll', () => peer.held === 1 && peer.subscribed.length === 1)
    await Promise.all([client.stop(), client.stop()])
    expect(peer.of('disconnect').length).toBe(1)
    expect(peer.of('unsubscribe').length).toBe(0)
    expect(peer.sessions).toEqual([])
    await board.until('the loop to end', () => reading.ended === 'done')
    await board.until('no request open', () => peer.open() === 0)
    expect(clock.pending).toBe(0)

    const again = read(client.subscribe('/a'))
    await client.start()
    await board.until('poll', () => peer.held === 1 && peer.subscribed.length === 2)
    peer.publish('/a', 'again')
    await board.until('event', () => again.events.length === 1)
    expect(peer.of('handshake').length).toBe(2)
  })

  it('C80 [N] is bounded when nobody answers the goodbye', async () => {
    const board = noticeBoard()
    const peer = await stallingServer(board, unanswered('disconnect'))
    const { client, clock } = testClient(board, peer.url)
    await client.start()
    const stopped = client.stop()
    await board.until('goodbye', () => peer.open('disconnect') === 1)
    await clock.pass(2_000)
    await stopped
    expect(client.state).toBe('stopped')
    expect(clock.pending).toBe(0)
    expect(peer.of('disconnect').length).toBe(1)
  })

  it('C80 [N] during a handshake waits for its session and ends that', async () => {
    const board = noticeBoard()
    let answer = (): void => {}
    const peer: CometdPeer = await cometdServer(
      board,
      {},
      {
        intercept(seen, response) {
          if (seen.what !== 'handshake') return false
          answer = () => peer.server.handle({ method: 'POST', headers: seen.headers, body: structuredClone(seen.messages) }, response)
          return true
        },
      },
    )
    const { client, clock } = testClient(board, peer.url)
    client.start().catch(() => {})
    await board.until('handshake', () => peer.open('handshake') === 1)
    const stopped = client.stop()
    answer()
    await stopped
    expect(peer.sessions).toEqual([])
    expect(peer.of('disconnect').length).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it('C80 [N] while backing off ends at once', async () => {
    const board = noticeBoard()
    const { peer, made } = await states['backing off before a handshake']!(board)
    await made.client.stop()
    expect(made.client.state).toBe('stopped')
    expect(made.clock.pending).toBe(0)
    expect(peer.of('disconnect').length).toBe(0)
  })
})
