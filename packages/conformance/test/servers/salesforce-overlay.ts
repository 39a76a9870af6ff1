import type { Options, ServerChannel, ServerMessage, ServerSession } from 'cometd-nodejs-server'
import { type CometdPeer, cometdServer } from './cometd-server.ts'
import type { NoticeBoard } from './notice-board.ts'

/** `cometd-nodejs-server` with what Salesforce's fork adds: replay, its handshake reply, its words for a lost session. */
export interface OverlayPeer extends CometdPeer {
  /** Publishes an event with the next replay id, and keeps it for replay. Returns the id. */
  emit(channel: string): number
}

export async function salesforceOverlay(board: NoticeBoard, options: Options = {}): Promise<OverlayPeer> {
  const peer = await cometdServer(board, options)
  const kept = new Map<string, { event: { replayId: number }; payload: { n: number } }[]>()
  let lastId = 0
  peer.server.addExtension({
    outgoing(_server, _sender, _session, message, done) {
      if (message.channel === '/meta/handshake' && message.successful) {
        message.ext = { replay: true, 'payload.format': true }
        // The real one says nothing here; the first connect's reply brings the advice.
        delete message.advice
      }
      if (message.error?.startsWith('402')) message.error = '403::Unknown client'
      done(undefined, true)
    },
  })
  peer.server.addListener('subscribed', (channel: ServerChannel, session: ServerSession, message: ServerMessage) => {
    const after = (message.ext as { replay?: Record<string, number> } | undefined)?.replay?.[channel.name]
    if (after === undefined || after === -1) return
    for (const data of kept.get(channel.name) ?? [])
      if (after === -2 || data.event.replayId > after) session.deliver(null, channel.name, data)
  })
  return Object.assign(peer, {
    emit(channel: string) {
      const data = { event: { replayId: ++lastId }, payload: { n: lastId } }
      kept.set(channel, [...(kept.get(channel) ?? []), data])
      peer.publish(channel, data)
      return lastId
    },
  })
}
