import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { cometdServer } from './cometd-server.ts'
import { noticeBoard } from './notice-board.ts'
import { testClient } from './test-client.ts'

const { AcknowledgedMessagesExtension } = createRequire(import.meta.url)('cometd-nodejs-server/ack-extension') as {
  AcknowledgedMessagesExtension: new () => Parameters<Awaited<ReturnType<typeof cometdServer>>['server']['addExtension']>[0]
}

/** An org has no acknowledged delivery: the client asks for none, and replay takes its place (61 to 64, in ../cases). */
describe('acknowledged delivery', () => {
  it('C59, C60 [N] is offered and not asked for: no ack is sent, and events come as ever', async () => {
    const board = noticeBoard()
    const peer = await cometdServer(board)
    peer.server.addExtension(new AcknowledgedMessagesExtension())
    const { client, read } = testClient(board, peer.url)
    const reading = read(client.subscribe('/a'))
    await board.until('poll', () => peer.held === 1 && peer.subscribed.length === 1)
    for (let n = 0; n < 5; n++) {
      peer.publish('/a', n)
      await board.until('event', () => reading.events.length === n + 1 && peer.held === 1)
    }
    expect(reading.payloads).toEqual([0, 1, 2, 3, 4])
    expect(peer.of('handshake')[0]?.messages[0]?.ext).toEqual({ replay: true })
    for (const request of peer.requests) for (const message of request.messages) expect(message.ext ?? {}).not.toHaveProperty('ack')
    // Had it been negotiated, each reply to a connect would name its batch.
    expect(peer.of('connect').map(({ replyText }) => replyText.includes('"ack"'))).not.toContain(true)
  })
})
