import type { HandshakeError, ProtocolError } from '@sfstream/core'
import { describe, expect, it } from 'vitest'
import { cometdServer, postAs } from './cometd-server.ts'
import { noticeBoard } from './notice-board.ts'
import { session, testClient } from './test-client.ts'

/**
 * Our client against npm `cometd-nodejs-server` (N). Acknowledged delivery (59-64) does not apply: an org has none, and
 * replay ids take its place.
 */
describe('handshake', () => {
  it('C1 [N] is one message with every mandatory field', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    await testClient(board, peer.url).client.start()
    await board.until('poll', () => peer.held === 1)
    const [handshake] = peer.of('handshake')
    expect(handshake?.messages).toEqual([
      {
        id: expect.any(String) as string,
        channel: '/meta/handshake',
        version: '1.0',
        minimumVersion: '1.0',
        supportedConnectionTypes: ['long-polling'],
        ext: { replay: true },
      },
    ])
    expect(handshake?.headers).toMatchObject({ 'content-type': 'application/json', authorization: `Bearer ${session.accessToken}` })
    const later = peer.requests.slice(1).flatMap((request) => request.messages)
    expect(new Set(later.map((message) => message.clientId))).toEqual(new Set([peer.sessions[0]?.id]))
    const ids = peer.requests.flatMap((request) => request.messages.map((message) => message.id))
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('C4 [N] denied with advice none: terminal, and nothing is left that could send', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    peer.server.policy = { canHandshake: (_session, _message, done) => done(undefined, false) }
    const { client, clock, read } = testClient(board, peer.url)
    const reading = read(client.subscribe('/a'))
    await expect(client.start()).rejects.toMatchObject({ code: 'handshake_refused', server: { code: 403, text: 'handshake_denied' } })
    await board.until('the loop to end', () => reading.ended !== undefined)
    expect((reading.ended as HandshakeError).code).toBe('handshake_refused')
    expect(client.state).toBe('failed')
    expect(clock.pending).toBe(0)
    expect(peer.requests.length).toBe(1)
  })

  it('C4 [N] denied with advice none: a provider is asked for one other token first', async () => {
    // DESIGN, P72: `none` with a text nobody knows gets one re-authentication.
    const board = noticeBoard()
    const peer = await cometdServer(board)
    peer.server.policy = { canHandshake: (_session, _message, done) => done(undefined, false) }
    let logins = 0
    const { client } = testClient(board, peer.url, {
      auth: () => Promise.resolve({ ...session, accessToken: `00D000000000001!${++logins}` }),
    })
    await expect(client.start()).rejects.toMatchObject({ code: 'handshake_refused' })
    expect(peer.requests.map((request) => request.headers.authorization)).toEqual(['Bearer 00D000000000001!1', 'Bearer 00D000000000001!2'])
  })

  it('C5 [N] denied with advice handshake and an interval: again, no earlier', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    let denials = 2
    peer.server.policy = {
      canHandshake(_session, message, done) {
        if (denials-- <= 0) return done(undefined, true)
        message.reply!.advice = { reconnect: 'handshake', interval: 250 }
        done(undefined, false)
      },
    }
    await testClient(board, peer.url).client.start()
    const [first, second, third] = peer.of('handshake').map((request) => request.atMs)
    expect(second! - first!).toBeGreaterThanOrEqual(249)
    expect(third! - second!).toBeGreaterThanOrEqual(249)
    expect(peer.of('handshake').length).toBe(3)
  })
})

describe('connect loop', () => {
  it('C16 [N] the first connect asks to be answered at once, the second does not', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    await testClient(board, peer.url).client.start()
    await board.until('poll', () => peer.held === 1)
    const [first, second] = peer.of('connect').map((request) => request.messages[0])
    expect(first).toMatchObject({ connectionType: 'long-polling', advice: { timeout: 0 } })
    expect(second).toMatchObject({ connectionType: 'long-polling' })
    expect(second).not.toHaveProperty('advice')
  })

  it('C17 [N] never more than one connect over 200 polls with other traffic', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client, read } = testClient(board, peer.url)
    const reading = read(client.subscribe('/a'))
    await board.until('subscription', () => peer.subscribed.length === 1 && peer.held === 1)
    for (let n = 0; n < 200; n++) {
      if (n % 20 === 5) client.subscribe(`/other/${n}`)
      if (n % 20 === 15) void client.unsubscribe(`/other/${n - 10}`)
      if (n % 7 === 0) void client.send({ channel: '/service/noise', data: n })
      peer.publish('/a', n)
      await board.until(`event ${n}`, () => reading.events.length > n && peer.held === 1)
    }
    expect(reading.payloads).toEqual(Array.from({ length: 200 }, (_, n) => n))
    expect(peer.of('connect').length).toBeGreaterThan(200)
    expect(peer.mostConnects).toBe(1)
    expect(peer.sessions.length).toBe(1)
  })

  it('C18 [N] an idle poll is followed by the next at once', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board, { timeout: 20 })
    await testClient(board, peer.url).client.start()
    await board.until('12 polls', () => peer.of('connect').length >= 12)
    const connects = peer.of('connect')
    const gaps = connects.slice(1).map((request, at) => request.atMs - connects[at]!.answeredAtMs!)
    // The middle one: a busy machine may hold up any single one.
    expect(gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)]).toBeLessThanOrEqual(50)
  })

  it('C19 [N] never before the interval of the advice', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board, { timeout: 10, interval: 120 })
    await testClient(board, peer.url).client.start()
    await board.until('5 polls', () => peer.of('connect').length >= 5)
    const connects = peer.of('connect')
    for (const [at, request] of connects.slice(1).entries()) expect(request.atMs - connects[at]!.answeredAtMs!).toBeGreaterThanOrEqual(119)
  })

  it('C23 [N] the 500 for a poll that was given up causes no further connect', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board, { timeout: 60_000, maxInterval: 600_000 })
    const { client, clock, reports, read } = testClient(board, peer.url)
    const reading = read(client.subscribe('/a'))
    await board.until('poll', () => peer.held === 1 && peer.subscribed.length === 1)
    await clock.pass(81_000)
    await board.until(
      'a new poll',
      () => peer.of('connect').filter((request) => !request.messages[0]?.advice).length === 2 && peer.held === 1,
    )
    await board.until('resumed', () => peer.subscribed.length === 2)
    peer.publish('/a', 'after')
    await board.until('event', () => reading.events.length === 1)
    expect(reports('retry').map(({ what, error }) => [what, error.code])).toEqual([['connect', 'timeout']])
    // The first, the one given up, the one that asks to be answered at once, the one that brought the event, the last.
    await board.until('last poll', () => peer.held === 1)
    expect(peer.of('connect').length).toBe(5)
    expect(peer.of('handshake').length).toBe(1)
  })

  it('C23 [N] another connect of the same session: our poll gets the 500 and takes its place again, once', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client, reports, read } = testClient(board, peer.url)
    const reading = read(client.subscribe('/a'))
    await board.until('poll', () => peer.held === 1 && peer.subscribed.length === 1)
    const beside = postAs(peer.of('connect')[0]!, peer.url, { channel: '/meta/connect', connectionType: 'long-polling' })
    await expect(beside).resolves.toBe(500)
    await board.until('poll again', () => peer.held === 1 && peer.subscribed.length === 2)
    peer.publish('/a', 1)
    await board.until('event', () => reading.events.length === 1)
    expect(reports('retry').map(({ error }) => [error.code, error.server?.status])).toEqual([['http_status', 500]])
  })

  it('C24 [N] a refusal without advice: the same session again, with timeout 0', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    let connects = 0
    peer.server.addExtension({
      incoming: (_server, _session, message, done) => done(undefined, message.channel !== '/meta/connect' || ++connects !== 3),
    })
    const { client, reports, read } = testClient(board, peer.url)
    const reading = read(client.subscribe('/a'))
    await board.until('poll', () => peer.held === 1 && peer.subscribed.length === 1)
    peer.publish('/a', 1)
    await board.until('poll again', () => connects === 5 && peer.held === 1)
    peer.publish('/a', 2)
    await board.until('events', () => reading.events.length === 2 && peer.held === 1)
    expect(reports('retry').map(({ error }) => error.server?.text)).toEqual(['message_deleted'])
    expect(peer.of('connect').map((request) => request.messages[0]?.advice?.timeout)).toEqual([
      0,
      undefined,
      undefined,
      0,
      undefined,
      undefined,
    ])
    expect(peer.of('handshake').length).toBe(1)
    expect(peer.subscribed).toEqual(['/a'])
  })
})

describe('advice', () => {
  it('C31 [N] another session of the same browser: polls at the interval, says so, is held when the other has left', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board, { multiSessionInterval: 60 })
    const first = testClient(board, peer.url)
    await first.client.start()
    await board.until('poll', () => peer.held === 1)
    const cookie = peer.of('connect')[0]?.headers.cookie as string
    const second = testClient(board, peer.url, {
      platform: { fetch: (input, init) => fetch(input, { ...init, headers: { ...(init?.headers as Record<string, string>), cookie } }) },
    })
    const reading = second.read(second.client.subscribe('/a'))
    await board.until('three warnings', () => second.reports('multipleClients').length >= 3)
    expect(second.reports('multipleClients')[0]).toMatchObject({ intervalMs: 60 })
    const id = peer.sessions[1]?.id
    const polls = peer.of('connect').filter((request) => request.messages[0]?.clientId === id && !request.messages[0]?.advice)
    for (const [at, poll] of polls.slice(1).entries()) expect(poll.atMs - polls[at]!.answeredAtMs!).toBeGreaterThanOrEqual(59)
    peer.publish('/a', 'with both')
    await board.until('event', () => reading.events.length === 1)

    await first.client.stop()
    await board.until('the second to be held', () => peer.held === 1 && peer.sessions.length === 1)
    peer.publish('/a', 'alone')
    await board.until('event', () => reading.events.length === 2)
  })

  it('C32 [N] another session of the same browser, and polling not allowed: terminal', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board, { multiSessionInterval: 0 })
    const first = testClient(board, peer.url)
    await first.client.start()
    await board.until('poll', () => peer.held === 1)
    const cookie = peer.of('connect')[0]?.headers.cookie as string
    const second = testClient(board, peer.url, {
      platform: { fetch: (input, init) => fetch(input, { ...init, headers: { ...(init?.headers as Record<string, string>), cookie } }) },
    })
    const reading = second.read(second.client.subscribe('/a'))
    await board.until('the loop to end', () => reading.ended !== undefined)
    expect((reading.ended as ProtocolError).code).toBe('server_stopped')
    expect(second.client.state).toBe('failed')
    expect(second.clock.pending).toBe(0)
    expect(first.client.state).toBe('live')
  })
})

describe('session loss', () => {
  it('C37 [N] the session is gone: handshake, every subscription restored, events flow', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client, reports, read } = testClient(board, peer.url)
    const readings = ['/a', '/b', '/c'].map((channel) => read(client.subscribe(channel)))
    await board.until('poll', () => peer.held === 1 && peer.subscribed.length === 3)
    const [lost] = peer.sessions
    await postAs(peer.of('connect')[0]!, peer.url, { channel: '/meta/disconnect' })
    await board.until('a new session', () => peer.sessions[0] !== undefined && peer.sessions[0] !== lost && peer.held === 1)
    await board.until('restored', () => peer.subscribed.length === 6)
    for (const channel of ['/a', '/b', '/c']) peer.publish(channel, channel)
    await board.until('events', () => readings.every((reading) => reading.events.length === 1))
    expect(reports('rehandshake').map(({ reason }) => reason)).toEqual([expect.stringContaining('session_unknown')])
    expect(reports('retry')).toEqual([])
    // Handshake, connect, one subscribe for all: a round trip per step.
    expect(peer.of('handshake').length).toBe(2)
    expect(peer.of('subscribe').length).toBe(2)
    const old = peer.requests.slice(peer.requests.indexOf(peer.of('handshake')[1]!)).flatMap((request) => request.messages)
    expect(old.filter((message) => message.clientId === lost?.id)).toEqual([])
  })

  it('C39 [N] a subscribe is told so, without advice: the session is made anew', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client, reports, read } = testClient(board, peer.url)
    const first = read(client.subscribe('/a'))
    await board.until('poll', () => peer.held === 1 && peer.subscribed.length === 1)
    peer.forget(peer.sessions[0]!)
    const second = read(client.subscribe('/b'))
    await board.until('a new session', () => peer.held === 1 && peer.subscribed.length === 3)
    expect(JSON.parse(peer.of('subscribe')[1]!.replyText)).toEqual([
      expect.objectContaining({ error: '402::session_unknown', successful: false }),
    ])
    peer.publish('/a', 1)
    peer.publish('/b', 2)
    // The poll of the lost session is given up, not left to hang.
    await board.until('events, and one poll', () => first.events.length === 1 && second.events.length === 1 && peer.open() === 1)
    expect(reports('rehandshake').length).toBe(1)
    expect(reports('subscriptionFailed')).toEqual([])
  })

  it('C43 [N] the server restarts on the same port: recovered within the backoff', async () => {
    const board = noticeBoard()
    const before = await cometdServer(board)
    const { client, reports, read } = testClient(board, before.url)
    const reading = read(client.subscribe('/a'))
    await board.until('poll', () => before.held === 1 && before.subscribed.length === 1)
    before.server.close()
    await before.close()
    await board.until('some retries', () => reports('retry').length >= 3)
    expect(client.state).toBe('waiting')
    const after = await cometdServer(board, {}, { port: before.port })
    await board.until('poll', () => after.held === 1 && after.subscribed.length === 1)
    after.publish('/a', 'after')
    await board.until('event', () => reading.events.length === 1)
    expect(after.of('handshake').length).toBe(1)
  })

  it('C45 [N] the server disconnects: a new session, since nobody called stop', async () => {
    // DESIGN: a loss is recovered or an error, never a silence; a pushed disconnect is no goodbye of ours.
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client, reports, read } = testClient(board, peer.url)
    const reading = read(client.subscribe('/a'))
    await board.until('poll', () => peer.held === 1 && peer.subscribed.length === 1)
    peer.sessions[0]?.disconnect()
    await board.until('a new session', () => peer.held === 1 && peer.subscribed.length === 2)
    expect(peer.of('connect')[1]?.replyText).toContain('"/meta/disconnect"')
    expect(reports('rehandshake').length).toBe(1)
    peer.publish('/a', 1)
    await board.until('event', () => reading.events.length === 1)
  })

  it('C45 [N] the server disconnects, and reconnecting is off: the loop rejects', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client, read } = testClient(board, peer.url, { reconnect: false })
    const reading = read(client.subscribe('/a'))
    await board.until('poll', () => peer.held === 1 && peer.subscribed.length === 1)
    peer.sessions[0]?.disconnect()
    await board.until('the end', () => reading.ended !== undefined)
    expect((reading.ended as HandshakeError).code).toBe('session_lost')
    expect(peer.of('handshake').length).toBe(1)
  })
})
