import { AuthenticationError, StateError, SubscribeError } from '@sfstream/core'
import { describe, expect, it } from 'vitest'
import { cometdServer } from './cometd-server.ts'
import { noticeBoard } from './notice-board.ts'
import { testClient } from './test-client.ts'

describe('subscribe', () => {
  it('C46 [N] many channels at once: one request, each reply finds its subscription', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client } = testClient(board, peer.url)
    const channels = ['/a', '/b', '/c', '/d', '/e']
    await Promise.all(channels.map((channel) => client.subscribe(channel).ready))
    expect(peer.subscribed).toEqual(channels)
    expect(peer.of('subscribe').length).toBe(1)
  })

  it('C46 [N] an array of channels, sent by hand, is echoed as an array', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client } = testClient(board, peer.url)
    await client.start()
    const replies = await client.send({ channel: '/meta/subscribe', subscription: ['/x', '/y'] })
    expect(replies).toEqual([expect.objectContaining({ channel: '/meta/subscribe', successful: true, subscription: ['/x', '/y'] })])
    expect(peer.subscribed).toEqual(['/x', '/y'])
  })

  it('C51 [N] a denied channel rejects alone; it may be asked for again', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    let open = false
    peer.server.policy = { canSubscribe: (_session, _message, channel, done) => done(undefined, open || channel.name !== '/closed') }
    const { client, read, reports } = testClient(board, peer.url)
    const good = read(client.subscribe('/good'))
    const denied = client.subscribe('/closed')
    const loop = read(denied)
    const refusal = { code: 'subscribe_refused', channel: '/closed', server: { code: 403, text: 'subscribe_denied' } }
    await expect(denied.ready).rejects.toMatchObject(refusal)
    await board.until('the loop to end', () => loop.ended !== undefined)
    expect(loop.ended).toMatchObject(refusal)
    expect([SubscribeError, StateError, AuthenticationError].map((kind) => loop.ended instanceof kind)).toEqual([true, false, false])
    await board.until('report and poll', () => reports('subscriptionFailed').length === 1 && peer.held === 1)
    expect(reports('subscriptionFailed')[0]).toMatchObject({ channel: '/closed', error: refusal })
    peer.publish('/good', 1)
    await board.until('event', () => good.events.length === 1)
    open = true
    const again = client.subscribe('/closed')
    const second = read(again)
    await again.ready
    peer.publish('/closed', 2)
    await board.until('event', () => second.events.length === 1)
    expect(peer.of('handshake').length).toBe(1)
  })

  it('C53 [N] a second subscription of a channel sends nothing; the last to close unsubscribes', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client, read } = testClient(board, peer.url)
    const first = client.subscribe('/a')
    const second = client.subscribe('/a')
    const readings = [read(first), read(second)]
    await Promise.all([first.ready, second.ready])
    await board.until('poll', () => peer.held === 1)
    peer.publish('/a', 1)
    await board.until('both', () => readings.every((reading) => reading.events.length === 1))
    await first.close()
    peer.publish('/a', 2)
    await board.until('the other', () => readings[1]?.events.length === 2)
    expect(readings[0]?.payloads).toEqual([1])
    expect(peer.unsubscribed).toEqual([])
    await second.close()
    await board.until('unsubscribed', () => peer.unsubscribed.length === 1)
    expect(peer.of('subscribe').length).toBe(1)
    expect(peer.of('unsubscribe').length).toBe(1)
  })

  it('C54 [N] an event that meets the unsubscribe is not delivered after close()', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client, messages, read } = testClient(board, peer.url)
    const subscription = client.subscribe('/a')
    const reading = read(subscription)
    await subscription.ready
    await board.until('poll', () => peer.held === 1)
    const closed = subscription.close()
    peer.publish('/a', 'too late')
    await closed
    await board.until(
      'unsubscribed, and the event on the wire',
      () => peer.unsubscribed.length === 1 && messages.some(({ data }) => data === 'too late'),
    )
    expect(reading.events).toEqual([])
    expect(reading.ended).toBe('done')
  })

  it('C56 [N] while there is no session yet: kept, and sent once', async () => {
    const board = noticeBoard()
    let refusals = 3
    const peer = await cometdServer(
      board,
      {},
      {
        intercept(seen, response) {
          if (seen.what !== 'handshake' || refusals-- <= 0) return false
          response.statusCode = 503
          response.end()
          return true
        },
      },
    )
    const { client } = testClient(board, peer.url)
    const first = client.subscribe('/before')
    await board.until('a refusal', () => peer.of('handshake').length >= 1)
    const second = client.subscribe('/meanwhile')
    await Promise.all([first.ready, second.ready])
    expect(peer.subscribed).toEqual(['/before', '/meanwhile'])
    expect(peer.of('subscribe').flatMap((request) => request.messages).length).toBe(2)
  })

  it('C56 [N] while the server is away: kept, and sent once', async () => {
    const board = noticeBoard()
    let away = false
    const peer = await cometdServer(
      board,
      {},
      {
        intercept(_seen, response) {
          if (away) response.destroy()
          return away
        },
      },
    )
    const { client, reports } = testClient(board, peer.url)
    await client.start()
    await board.until('poll', () => peer.held === 1)
    away = true
    // Ends the held poll; the next one meets a dead server.
    peer.sessions[0]?.deliver(null, '/service/wake', 1)
    await board.until('a retry', () => reports('retry').length > 0)
    const subscription = client.subscribe('/a')
    away = false
    await subscription.ready
    await board.until('poll', () => peer.held === 1)
    expect(peer.subscribed).toEqual(['/a'])
  })
})

describe('dispatch', () => {
  it('C48 [N] events that ride on the reply to a publish are delivered', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client, read } = testClient(board, peer.url)
    const subscription = client.subscribe('/a')
    const reading = read(subscription)
    await subscription.ready
    const replies = await client.send({ channel: '/a', data: 'mine' })
    expect(replies.map(({ channel, data }) => [channel, data])).toEqual([
      ['/a', 'mine'],
      ['/a', undefined],
    ])
    await board.until('event', () => reading.events.length === 1)
    expect(reading.payloads).toEqual(['mine'])
  })

  it('C48 [N] events that ride on the reply to a subscribe are delivered', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    peer.server.addListener('subscribed', (_channel: unknown, session: { deliver(from: null, channel: string, data: unknown): void }) =>
      session.deliver(null, '/a', 'welcome'),
    )
    const { client, read } = testClient(board, peer.url)
    const reading = read(client.subscribe('/a'))
    await board.until('event', () => reading.events.length === 1)
    expect(peer.of('subscribe')[0]?.replyText).toContain('welcome')
    expect(reading.payloads).toEqual(['welcome'])
  })

  it.each([
    ['/a/*', ['/a/b']],
    ['/a/**', ['/a/b', '/a/b/c']],
    ['/a/b', ['/a/b']],
  ])('C49 [N] %s matches %j, not siblings nor /a itself', async (pattern, expected) => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client, read } = testClient(board, peer.url)
    const subscription = client.subscribe(pattern)
    const reading = read(subscription)
    const marker = read(client.subscribe('/marker'))
    await board.until('poll', () => peer.held === 1 && peer.subscribed.length === 2)
    for (const channel of ['/a', '/a/b', '/ab/c', '/a/b/c', '/b/a/b', '/marker']) peer.publish(channel, 1)
    await board.until('marker', () => marker.events.length === 1)
    expect(reading.events.map((event) => event.channel)).toEqual(expected)
  })

  it('C50 [N] the server sends a copy for each matching subscription; each copy goes once to each loop', async () => {
    // DESIGN: only repeats of our own making are dropped; what a server sends twice is delivered twice, and is not hidden.
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client, messages, read } = testClient(board, peer.url)
    const exact = read(client.subscribe('/a/b'))
    const wild = read(client.subscribe('/a/*'))
    await board.until('poll', () => peer.held === 1 && peer.subscribed.length === 2)
    peer.publish('/a/b', 1)
    await board.until('both copies', () => messages.filter(({ data }) => data !== undefined).length === 2)
    await board.until('deliveries', () => exact.events.length >= 2 && wild.events.length >= 2)
    expect([exact.payloads, wild.payloads]).toEqual([
      [1, 1],
      [1, 1],
    ])
  })

  it('C58 [N] data of any kind is delivered, a message without data is reported', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    const { client, read, reports } = testClient(board, peer.url)
    const reading = read(client.subscribe('/a'))
    await board.until('poll', () => peer.held === 1 && peer.subscribed.length === 1)
    peer.publish('/a')
    for (const data of ['', 0, false, null, 'last']) peer.publish('/a', data)
    await board.until('events', () => reading.events.length === 5)
    expect(reading.payloads).toEqual(['', 0, false, null, 'last'])
    expect(reports('badMessage').map(({ message }) => message)).toEqual([{ channel: '/a' }])
  })
})
