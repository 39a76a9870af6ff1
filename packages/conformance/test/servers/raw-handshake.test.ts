import { describe, expect, it } from 'vitest'
import { noticeBoard } from './notice-board.ts'
import { orderEvent, rawServer } from './raw-server.ts'
import { session, testClient } from './test-client.ts'

const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: { writeHead(code: number, headers: Record<string, string>): { end(): void } }) =>
    void response.writeHead(code, headers).end()

describe('handshake, over a scripted server', () => {
  it('C2 [X] never together with other messages, though subscribe() came first', async () => {
    const board = noticeBoard()
    const server = await rawServer(board)
    const { client } = testClient(board, server.url)
    await Promise.all([client.subscribe('/a').ready, client.subscribe('/b').ready])
    expect(server.requests[0]?.messages.map((message) => message.channel)).toEqual(['/meta/handshake'])
    expect(server.of('handshake').length).toBe(1)
  })

  it('C3 [X] a reply without advice is followed by a connect, after an earlier reconnect: handshake', async () => {
    const board = noticeBoard()
    const server = await rawServer(board)
    const { client } = testClient(board, server.url)
    await client.start()
    await board.until('poll', () => server.held === 1)
    server.replyToPoll({ successful: false, error: '403::Unknown client', advice: { reconnect: 'handshake', interval: 0 } })
    await board.until('poll again', () => server.held === 1)
    expect(server.requests.map(({ what }) => what)).toEqual(['handshake', 'connect', 'connect', 'handshake', 'connect', 'connect'])
  })

  it('C7 [X] no common connection type: an error of our own', async () => {
    const board = noticeBoard()
    const server = await rawServer(board, (seen, { friendly }) =>
      friendly(seen).map((reply) => ({ ...reply, supportedConnectionTypes: ['websocket'] })),
    )
    const { client, clock } = testClient(board, server.url)
    await expect(client.start()).rejects.toMatchObject({ code: 'no_common_transport' })
    expect(server.requests.length).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it('C8 [X] a refusal without id and channel: a typed error', async () => {
    const board = noticeBoard()
    const server = await rawServer(board, () => [{ error: '401::Request requires authentication', successful: false }])
    await expect(testClient(board, server.url).client.start()).rejects.toMatchObject({
      name: 'AuthenticationError',
      code: 'token_refused',
      server: { code: 401, text: 'Request requires authentication' },
    })
    expect(server.requests.length).toBe(1)
  })

  it.each([
    [401, 'token_refused'],
    [404, 'http_status'],
  ])('C11 [X] HTTP %i with a token that cannot be replaced: %s, no loop', async (code, expected) => {
    const board = noticeBoard()
    const server = await rawServer(board, () => status(code))
    await expect(testClient(board, server.url).client.start()).rejects.toMatchObject({ code: expected, server: { status: code } })
    expect(server.requests.length).toBe(1)
  })

  it.each([401, 404])('C11 [X] HTTP %i: one other token, one other handshake', async (code) => {
    const board = noticeBoard()
    let logins = 0
    const server = await rawServer(board, (seen) => (seen.headers.authorization?.endsWith('!1') ? status(code) : undefined))
    const { client, reports } = testClient(board, server.url, {
      auth: () => Promise.resolve({ ...session, accessToken: `00D000000000001!${++logins}` }),
    })
    await client.start()
    expect(server.of('handshake').length).toBe(2)
    await board.until('report', () => reports('reauthenticated').length === 1)
  })

  it('C11 [X] HTTP 403: tried a few times, then an error', async () => {
    const board = noticeBoard()
    const server = await rawServer(board, () => status(403))
    await expect(testClient(board, server.url).client.start()).rejects.toMatchObject({ server: { status: 403 } })
    expect(server.requests.length).toBe(5)
  })

  it.each([500, 502, 503])('C11 [X] HTTP %i: tried again', async (code) => {
    const board = noticeBoard()
    let refusals = 2
    const server = await rawServer(board, () => (refusals-- > 0 ? status(code) : undefined))
    const { client, reports } = testClient(board, server.url)
    await client.start()
    expect(server.of('handshake').length).toBe(3)
    expect(reports('retry').map(({ what, error }) => [what, error.server?.status])).toEqual([
      ['handshake', code],
      ['handshake', code],
    ])
  })

  it('C11 [X] Retry-After is waited for', async () => {
    const board = noticeBoard()
    let refusals = 1
    const server = await rawServer(board, () => (refusals-- > 0 ? status(503, { 'retry-after': '20' }) : undefined))
    const { client, clock, reports } = testClient(board, server.url)
    const started = client.start()
    await board.until('report', () => reports('retry').length === 1)
    expect(reports('retry')[0]?.delayMs).toBe(20_000)
    await clock.pass(15_000)
    expect(server.of('handshake').length).toBe(1)
    await clock.pass(5_000)
    await started
    expect(server.of('handshake').length).toBe(2)
  })

  it('C12 [X] a handshake that stalls is given up after 30 s, and tried again', async () => {
    const board = noticeBoard()
    let stalls = 1
    const server = await rawServer(board, () => (stalls-- > 0 ? 'stall' : undefined))
    const { client, clock, reports } = testClient(board, server.url)
    const started = client.start()
    await board.until('handshake', () => server.of('handshake').length === 1)
    await clock.pass(25_000)
    expect(server.requests[0]?.aborted).toBe(false)
    await clock.pass(5_000)
    await started
    expect(server.requests[0]?.aborted).toBe(true)
    expect(reports('retry').map(({ what, error }) => [what, error.code])).toEqual([['handshake', 'timeout']])
  })

  it('C13 [X] events in the reply to a handshake are delivered', async () => {
    const board = noticeBoard()
    const server = await rawServer(board, (seen, { friendly }) =>
      seen.what === 'handshake' ? [orderEvent(1), ...friendly(seen).map((reply) => ({ ...reply, 'x-messages': 1 }))] : undefined,
    )
    const { client, read } = testClient(board, server.url)
    const reading = read(client.subscribe('/event/Order__e'))
    await board.until('event', () => reading.events.length === 1)
    expect(reading.events[0]?.replayId).toBe(1)
  })

  it('C14 [X] two starts at once are one handshake', async () => {
    const board = noticeBoard()
    const server = await rawServer(board)
    const { client } = testClient(board, server.url)
    await Promise.all([client.start(), client.start()])
    await client.start()
    await board.until('poll', () => server.held === 1)
    expect(server.requests.map(({ what }) => what)).toEqual(['handshake', 'connect', 'connect'])
  })

  it('C15 [X] fields nobody knows are let be', async () => {
    const board = noticeBoard()
    const server = await rawServer(board, (seen, { friendly }) =>
      seen.what === 'handshake'
        ? friendly(seen).map((reply) => ({ ...reply, minimumVersion: '1.0', constructor: 'x', toString: 1, nested: { deep: [1] } }))
        : undefined,
    )
    await testClient(board, server.url).client.start()
    expect(server.of('handshake').length).toBe(1)
  })
})
