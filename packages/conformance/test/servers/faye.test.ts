import type { AuthenticationError } from '@sfstream/core'
import { describe, expect, it } from 'vitest'
import { postAs } from './cometd-server.ts'
import { fayeServer } from './faye-server.ts'
import { noticeBoard } from './notice-board.ts'
import { testClient } from './test-client.ts'

/** Our client against npm `faye`'s server (F): no cookies, advice on every reply, replies before events. */
describe('handshake', () => {
  it('C1 [F] is one message with every mandatory field', async () => {
    const board = noticeBoard()
    const peer = await fayeServer(board)
    const { client } = testClient(board, peer.url)
    await client.start()
    expect(peer.of('handshake').map((request) => request.messages)).toEqual([
      [expect.objectContaining({ id: expect.any(String) as string, version: '1.0', supportedConnectionTypes: ['long-polling'] })],
    ])
  })

  it('C6 [F] denied with advice handshake and no interval: our own backoff', async () => {
    const board = noticeBoard()
    const peer = await fayeServer(board)
    let denials = 3
    peer.adapter.addExtension({
      incoming(message, next) {
        if (message.channel === '/meta/handshake' && denials-- > 0) message.error = '403::Not now'
        next(message)
      },
    })
    const { client } = testClient(board, peer.url, { retry: { handshake: { baseMs: 40, factor: 2, jitter: 'none' } } })
    await client.start()
    const times = peer.of('handshake').map((request) => request.atMs)
    expect(times.length).toBe(4)
    for (const [at, least] of [40, 80, 160].entries()) expect(times[at + 1]! - times[at]!).toBeGreaterThanOrEqual(least - 1)
  })

  it('C6 [F] denied for the token, with advice handshake: an error, no loop', async () => {
    const board = noticeBoard()
    const peer = await fayeServer(board)
    peer.adapter.addExtension({
      incoming(message, next) {
        if (message.channel === '/meta/handshake') message.error = '401::Authentication invalid'
        next(message)
      },
    })
    const { client } = testClient(board, peer.url)
    const error = await client.start().catch((reason: unknown) => reason as AuthenticationError)
    expect(error).toMatchObject({ name: 'AuthenticationError', code: 'token_refused' })
    expect(peer.requests.length).toBe(1)
  })
})

describe('connect loop', () => {
  it('C16 [F] the first connect asks to be answered at once, the second does not', async () => {
    const board = noticeBoard()
    const peer = await fayeServer(board)
    await testClient(board, peer.url).client.start()
    await board.until('poll', () => peer.of('connect').length === 2)
    expect(peer.of('connect').map((request) => request.messages[0]?.advice)).toEqual([{ timeout: 0 }, undefined])
  })

  it('C17 [F] never more than one connect over 200 polls with other traffic', async () => {
    const board = noticeBoard()
    const peer = await fayeServer(board)
    const { client, read } = testClient(board, peer.url)
    const reading = read(client.subscribe('/a'))
    await board.until('subscription', () => peer.subscribed.length === 1 && peer.open('connect') === 1)
    for (let n = 0; n < 200; n++) {
      if (n % 20 === 5) client.subscribe(`/other/${n}`)
      if (n % 20 === 15) void client.unsubscribe(`/other/${n - 10}`)
      peer.publish('/a', n)
      await board.until(`event ${n}`, () => reading.events.length > n && peer.open('connect') === 1)
    }
    expect(reading.payloads).toEqual(Array.from({ length: 200 }, (_, n) => n))
    expect(peer.mostConnects).toBe(1)
    expect(peer.of('handshake').length).toBe(1)
  })

  it('C22 [F] a superseded poll is never answered: our deadline ends it', async () => {
    const board = noticeBoard()
    const peer = await fayeServer(board, 1)
    const { client, clock, read, reports } = testClient(board, peer.url)
    const reading = read(client.subscribe('/a'))
    await board.until('poll', () => peer.of('connect').length === 2 && peer.subscribed.length === 1)
    const [, ours] = peer.of('connect')
    await postAs(ours!, peer.url, { channel: '/meta/connect', connectionType: 'long-polling' })
    expect(ours?.answeredAtMs).toBeUndefined()
    // 1 s of hold and 20 s of allowance, counted from when the poll left; a second has passed by itself.
    await clock.pass(18_000)
    expect(reports('retry')).toEqual([])
    expect(ours?.aborted).toBe(false)
    await clock.pass(3_000)
    await board.until('given up', () => ours?.aborted === true)
    await board.until('resumed', () => reports('resubscribed').length === 1)
    expect(reports('retry').map(({ error }) => error.code)).toEqual(['timeout'])
    peer.publish('/a', 1)
    await board.until('event', () => reading.events.length === 1)
  })
})

describe('session loss', () => {
  it('C41 [F] 401:<id>:Unknown client is a lost session, not a refused token', async () => {
    const board = noticeBoard()
    const peer = await fayeServer(board)
    let logins = 0
    const { client, read, reports } = testClient(board, peer.url, {
      auth: () => Promise.resolve({ accessToken: `00D000000000001!${++logins}`, instanceUrl: 'https://acme.my.salesforce.com' }),
    })
    const readings = ['/a', '/b'].map((channel) => read(client.subscribe(channel)))
    await board.until('poll', () => peer.of('connect').length === 2 && peer.subscribed.length === 2)
    await postAs(peer.of('connect')[0]!, peer.url, { channel: '/meta/disconnect' })
    await board.until(
      'a new session',
      () => peer.of('handshake').length === 2 && peer.subscribed.length === 4 && peer.open('connect') === 1,
    )
    expect(reports('rehandshake').map(({ reason }) => reason)).toEqual([expect.stringMatching(/401:\w+:Unknown client/)])
    for (const channel of ['/a', '/b']) peer.publish(channel, channel)
    await board.until('events', () => readings.every((reading) => reading.events.length === 1))
    expect(logins).toBe(1)
  })
})

describe('subscribe and dispatch', () => {
  it('C46 [F] many channels at once, and an array by hand', async () => {
    const board = noticeBoard()
    const peer = await fayeServer(board)
    const { client } = testClient(board, peer.url)
    const channels = ['/a', '/b', '/c']
    await Promise.all(channels.map((channel) => client.subscribe(channel).ready))
    expect(peer.subscribed).toEqual(channels)
    const replies = await client.send({ channel: '/meta/subscribe', subscription: ['/x', '/y'] })
    expect(replies).toEqual([expect.objectContaining({ successful: true, subscription: ['/x', '/y'] })])
  })

  it.each([
    ['/a/*', ['/a/b']],
    ['/a/**', ['/a/b', '/a/b/c']],
    ['/a/b', ['/a/b']],
  ])('C49 [F] %s matches %j, not siblings nor /a itself', async (pattern, expected) => {
    const board = noticeBoard()
    const peer = await fayeServer(board)
    const { client, read } = testClient(board, peer.url)
    const subscriptions = [client.subscribe(pattern), client.subscribe('/marker')]
    const [reading, marker] = subscriptions.map((subscription) => read(subscription))
    await Promise.all(subscriptions.map(({ ready }) => ready))
    for (const channel of ['/a', '/a/b', '/ab/c', '/a/b/c', '/b/a/b', '/marker']) peer.publish(channel, 1)
    await board.until('marker', () => marker!.events.length === 1)
    expect(reading!.events.map((event) => event.channel)).toEqual(expected)
  })

  it('C50 [F] overlapping subscriptions get one copy each', async () => {
    const board = noticeBoard()
    const peer = await fayeServer(board)
    const { client, read } = testClient(board, peer.url)
    const subscriptions = ['/a/b', '/a/*', '/marker'].map((channel) => client.subscribe(channel))
    const [exact, wild, marker] = subscriptions.map((subscription) => read(subscription))
    await Promise.all(subscriptions.map(({ ready }) => ready))
    peer.publish('/a/b', 1)
    peer.publish('/marker', 1)
    await board.until('marker', () => marker!.events.length === 1)
    expect([exact!.payloads, wild!.payloads]).toEqual([[1], [1]])
  })

  it('C57 [F] an event with the id of the held poll is an event', async () => {
    const board = noticeBoard()
    const peer = await fayeServer(board)
    const { client, read, reports } = testClient(board, peer.url)
    const reading = read(client.subscribe('/a'))
    await board.until('poll', () => peer.of('connect').length === 2 && peer.subscribed.length === 1)
    const [, poll] = peer.of('connect')
    const id = poll?.messages[0]?.id as string
    await postAs(poll!, peer.url, { channel: '/a', data: 'same id', id })
    await board.until('event', () => reading.events.length === 1)
    expect(reading.events[0]?.message.id).toBe(id)
    await board.until('the next poll', () => peer.of('connect').length === 3 && peer.open('connect') === 1)
    expect(reports('retry')).toEqual([])
    expect(reports('badMessage')).toEqual([])
  })
})

describe('stop', () => {
  it('C79, C80 [F] the goodbye releases the poll; nothing is left', async () => {
    const board = noticeBoard()
    const peer = await fayeServer(board)
    const { client, clock } = testClient(board, peer.url)
    await client.subscribe('/a').ready
    await board.until('poll', () => peer.open('connect') === 1 && peer.of('connect').length === 2)
    await client.stop()
    expect(peer.disconnects).toBe(1)
    expect(peer.of('disconnect').length).toBe(1)
    await board.until('no request open', () => peer.open() === 0)
    expect(clock.pending).toBe(0)
  })
})
