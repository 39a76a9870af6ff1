import { memoryReplayStore } from '@sfstream/core'
import { describe, expect, it } from 'vitest'
import { postAs } from './cometd-server.ts'
import type { SeenRequest } from './http-log.ts'
import { noticeBoard } from './notice-board.ts'
import { salesforceOverlay } from './salesforce-overlay.ts'
import { type Reading, session, testClient } from './test-client.ts'

const channel = '/event/Order__e'
const idsOf = (reading: Reading): unknown[] => reading.events.map((event) => event.replayId)
const replayOf = (requests: SeenRequest[]): unknown[] =>
  requests.flatMap((request) => request.messages.map((message) => message.ext?.replay ?? 'none'))

/** Our client against `cometd-nodejs-server` with Salesforce's ways laid over it (S). */
describe('session loss', () => {
  it('C38 [S] 403::Unknown client on a connect: a new session with the same token, and no event lost', async () => {
    const board = noticeBoard()
    const peer = await salesforceOverlay(board)
    let logins = 0
    const { client, read, reports } = testClient(board, peer.url, {
      auth() {
        logins++
        return Promise.resolve(session)
      },
    })
    const reading = read(client.subscribe(channel))
    await board.until('poll', () => peer.held === 1 && peer.subscribed.length === 1)
    peer.emit(channel)
    await board.until('event', () => reading.events.length === 1 && peer.held === 1)
    await postAs(peer.of('connect')[0]!, peer.url, { channel: '/meta/disconnect' })
    // While nobody is subscribed.
    peer.emit(channel)
    await board.until('a new session', () => peer.of('handshake').length === 2 && peer.subscribed.length === 2)
    await board.until('the missed event', () => reading.events.length === 2)
    expect(idsOf(reading)).toEqual([1, 2])
    expect(reports('rehandshake').map(({ reason }) => reason)).toEqual([expect.stringContaining('403::Unknown client')])
    expect(logins).toBe(1)
  })

  it('C38 [S] 403::Unknown client on a subscribe: the same', async () => {
    const board = noticeBoard()
    const peer = await salesforceOverlay(board)
    const { client, read, reports } = testClient(board, peer.url)
    const first = read(client.subscribe('/event/A__e'))
    await board.until('poll', () => peer.held === 1 && peer.subscribed.length === 1)
    peer.forget(peer.sessions[0]!)
    const second = read(client.subscribe('/event/B__e'))
    await board.until('a new session', () => peer.held === 1 && peer.subscribed.length === 3)
    peer.emit('/event/A__e')
    peer.emit('/event/B__e')
    await board.until('events', () => first.events.length === 1 && second.events.length === 1)
    expect(reports('rehandshake').length).toBe(1)
    expect(reports('reauthenticated')).toEqual([])
  })

  it('C42 [S] a session that expires while a slow consumer holds the poll: reported, recovered, nothing lost or doubled', async () => {
    const board = noticeBoard()
    const peer = await salesforceOverlay(board, { maxInterval: 150, sweepPeriod: 20 })
    const { client, read, reports } = testClient(board, peer.url)
    const subscription = client.subscribe(channel, { maxBuffered: 3 })
    await subscription.ready
    await board.until('poll', () => peer.held === 1)
    for (let n = 0; n < 10; n++) peer.emit(channel)
    await board.until('the session to expire', () => peer.sessions.length === 0)
    expect(reports('paused')).toEqual([expect.objectContaining({ how: 'held', channel })])
    const reading = read(subscription)
    await board.until('a new session', () => peer.held === 1 && peer.of('handshake').length === 2)
    peer.emit(channel)
    await board.until('events', () => reading.events.length >= 11)
    expect(idsOf(reading)).toEqual(Array.from({ length: 11 }, (_, n) => n + 1))
  })
})

describe('replay', () => {
  it('C47 [S] replayed events before the reply to the subscribe are delivered', async () => {
    const board = noticeBoard()
    const peer = await salesforceOverlay(board)
    for (let n = 0; n < 3; n++) peer.emit(channel)
    const { client, read } = testClient(board, peer.url)
    const reading = read(client.subscribe(channel, { replay: 'all' }))
    await board.until('events', () => reading.events.length === 3)
    const reply = JSON.parse(peer.of('subscribe')[0]!.replyText) as { channel: string }[]
    expect(reply.map((message) => message.channel)).toEqual([channel, channel, channel, '/meta/subscribe'])
    expect(idsOf(reading)).toEqual([1, 2, 3])
  })

  it('C65 [S] -1, -2, an id, or nothing: in each subscribe, for its own channel', async () => {
    const board = noticeBoard()
    const peer = await salesforceOverlay(board)
    const { client } = testClient(board, peer.url)
    const subscriptions = [
      client.subscribe('/event/New__e', { replay: 'new' }),
      client.subscribe('/event/All__e', { replay: 'all' }),
      client.subscribe('/event/After__e', { replay: 42 }),
      client.subscribe('/event/Big__e', { replay: '12345678901234567890' }),
      client.subscribe('/event/Off__e', { replay: 'off' }),
      client.subscribe('/event/Stored__e'),
    ]
    await Promise.all(subscriptions.map(({ ready }) => ready))
    expect(replayOf(peer.of('subscribe'))).toEqual([
      { '/event/New__e': -1 },
      { '/event/All__e': -2 },
      { '/event/After__e': 42 },
      // The digits themselves, as far as this side's parser can hold them.
      { '/event/Big__e': Number('12345678901234567890') },
      'none',
      { '/event/Stored__e': -1 },
    ])
  })

  it('C66 [S] the position follows what the consumer has finished: an event in hand comes again', async () => {
    const board = noticeBoard()
    const peer = await salesforceOverlay(board)
    for (let n = 0; n < 4; n++) peer.emit(channel)
    const replayStore = memoryReplayStore()
    const first = testClient(board, peer.url, { replayStore })
    const handled: unknown[] = []
    for await (const event of first.client.subscribe(channel, { replay: 'all' })) {
      handled.push(event.replayId)
      if (handled.length === 3) break
    }
    await first.client.stop()
    const second = testClient(board, peer.url, { replayStore })
    const reading = second.read(second.client.subscribe(channel))
    await board.until('events', () => reading.events.length === 2)
    expect(idsOf(reading)).toEqual([3, 4])
    expect(replayOf(peer.of('subscribe'))).toEqual([{ [channel]: -2 }, { [channel]: 2 }])
  })

  it('C67 [S] a new session goes on from the newest event, not from where the first began', async () => {
    const board = noticeBoard()
    const peer = await salesforceOverlay(board)
    for (let n = 0; n < 5; n++) peer.emit(channel)
    const { client, read } = testClient(board, peer.url)
    const reading = read(client.subscribe(channel, { replay: 1 }))
    await board.until('events', () => reading.events.length === 4 && peer.held === 1)
    for (const round of [1, 2]) {
      peer.sessions[0]?.disconnect()
      await board.until('a new session', () => peer.subscribed.length === 1 + round && peer.held === 1)
      peer.emit(channel)
      await board.until('event', () => reading.events.length === 4 + round && peer.held === 1)
    }
    expect(idsOf(reading)).toEqual([2, 3, 4, 5, 6, 7])
    expect(replayOf(peer.of('subscribe'))).toEqual([{ [channel]: 1 }, { [channel]: 5 }, { [channel]: 6 }])
  })
})
