import type { Platform, StartPosition } from '@sfstream/core'
import { type HubItem, type HubReader, isMark, onAbort } from '@sfstream/core/internal'
import { type CursorPosition, channelPart, cursorStart, formatPosition } from './cursor.ts'
import { type EventFrame, encode, errorData, idLine, joined, namedFrame } from './frames.ts'
import type { HeldHub, OrgLink } from './org-link.ts'
import { beginning, type StreamRequest } from './relay-request.ts'

export interface EventStreamParts {
  request: StreamRequest
  org: string
  link: OrgLink
  platform: Platform
  heartbeatMs: number
  maxStreamMs: number
  /** The request's own. */
  signal: AbortSignal
  /** The stream is over, whoever ended it; called once. */
  ended(): void
}

/** Where a stream goes: the body of a Response, or a reply of Node's HTTP server. */
export interface Outlet {
  /** Whether there is room for more; if not, `pull` is called once there is. */
  write(chunk: Uint8Array): boolean
  /** `isStalled`: its reader has not taken what it was sent before, and may never. */
  end(isStalled: boolean): void
}

/** One browser's stream. */
export interface EventStream {
  /** The reader has room. */
  pull(): void
  /** Ends it, with word to come back. */
  end(): void
  /** The reader has gone. */
  leave(): void
}

interface Channel {
  name: string
  /** What its part of a cursor begins with. */
  part: string
  held: HeldHub
  reader: HubReader<EventFrame>
  /** After what was last sent. */
  position: CursorPosition
}

/** Taken from the windows at a time. */
const chunkBytes = 65_536
const comment = encode(':\n\n')
/** After a stream was ended for its age, or by a shutdown. */
const comeBackMs = 2_000
/** After every channel has failed. */
const failedMs = 30_000

/**
 * Server-Sent Events for one browser. Nothing is buffered for it: it is a pointer into each channel's window, moved when the browser
 * has room, so one that stands still costs nothing and falls behind. [PROTOCOL L3]
 */
export function eventStream(parts: EventStreamParts, out: Outlet): EventStream {
  const { request, org, link, platform } = parts
  let hasRoom = false
  let over = false
  let wasLive = link.live
  let first: Uint8Array[] = [namedFrame('hello', { org, live: wasLive, now: link.now(), heartbeatMs: parts.heartbeatMs })]
  const channels: Channel[] = []
  const alone = request.channels.length === 1
  const prefix = cursorStart(org)
  /** A session has moved to another org: what this stream's cursors say is not so any more. */
  let isOfOtherOrg = false
  /** The cursor's part for channels that have failed: where they are to go on. */
  let ended = ''

  const cursor = (): string => {
    let text = prefix
    for (const { part, position } of channels) text += part + formatPosition(position)
    return text + ended
  }
  const send = (chunk: Uint8Array): void => {
    sentAt = platform.now()
    hasRoom = out.write(chunk)
  }
  /** A heartbeat is for those who read: to one who does not, nothing is sent, and the connection shows it. */
  const beat = (): void => {
    if (over) return
    const leftMs = sentAt + parts.heartbeatMs - platform.now()
    if (leftMs <= 0 && hasRoom) send(comment)
    cancelBeat = platform.delay(beat, leftMs > 0 ? leftMs : parts.heartbeatMs)
  }
  let sentAt = platform.now()
  let cancelBeat = platform.delay(beat, parts.heartbeatMs)
  let stopListening = (): void => {}
  const cancelAge = platform.delay(() => end(), parts.maxStreamMs)
  const stopObserving = link.observe(() => {
    ready()
    if (link.name !== org) end()
  })
  const finish = (): void => {
    if (over) return
    over = true
    cancelBeat()
    cancelAge()
    stopObserving()
    stopListening()
    for (const { reader, held } of channels) {
      reader.close()
      held.release()
    }
    parts.ended()
  }
  /** Whoever asked wants no more, and may read on nonetheless. */
  const abandon = (): void => {
    if (over) return
    finish()
    out.end(true)
  }
  const end = (retryMs = comeBackMs): void => {
    if (over) return
    finish()
    out.write(encode(`retry: ${retryMs}\nevent: bye\ndata: {}\n\n`))
    out.end(!hasRoom)
  }

  const closeChannel = (channel: Channel): void => {
    ended += channel.part + formatPosition(channel.position)
    channels.splice(channels.indexOf(channel), 1)
    channel.reader.close()
    channel.held.release()
  }
  const gapFrame = (
    name: string,
    gap: { reason: string; from: CursorPosition | undefined; to: StartPosition },
    ended: boolean,
    error?: unknown,
  ) =>
    namedFrame('replayGap', {
      channel: name,
      reason: gap.reason,
      ...(gap.from === undefined || isMark(gap.from) ? {} : { from: gap.from }),
      ...(ended ? { ended } : { to: gap.to }),
      ...(error === undefined ? {} : { error: errorData(error) }),
    })

  const open = (name: string): void => {
    const { position, refused } = beginning(request, name, org)
    if (refused) {
      const isEnded = request.fallback === 'none'
      first.push(gapFrame(name, { ...refused, to: isEnded ? 'new' : (request.fallback as 'all') }, isEnded, refused.error))
      if (isEnded) return
    }
    try {
      const held = link.hold(name)
      const start = refused ? (request.fallback as 'all' | 'new') : position
      channels.push({ name, part: channelPart(name), held, reader: held.hub.open(start, ready), position: start })
    } catch (error) {
      ended += channelPart(name) + formatPosition(position)
      first.push(namedFrame('failed', { channel: name, error: errorData(error) }))
    }
  }

  const frame = (channel: Channel, item: HubItem<EventFrame>, chunk: Uint8Array[]): void => {
    switch (item.type) {
      case 'event': {
        const { value, position } = item
        if (position !== undefined) channel.position = position
        if (position === undefined) chunk.push(value.body)
        else if (alone) {
          value.whole ??= joined([idLine(prefix + channel.part + formatPosition(position)), value.body])
          chunk.push(value.whole)
        } else chunk.push(idLine(cursor()), value.body)
        return
      }
      case 'gap': {
        const isEnded = item.own && request.fallback === 'none'
        chunk.push(gapFrame(channel.name, item, isEnded, item.error))
        isOfOtherOrg ||= item.reason === 'other-org'
        if (isEnded) closeChannel(channel)
        return
      }
      case 'subscribed':
        channel.position = item.from
        chunk.push(namedFrame('subscribed', { channel: channel.name }, cursor()))
        return
      case 'resubscribed':
      case 'waiting':
        chunk.push(namedFrame(item.type, { channel: channel.name }))
        return
      case 'failed':
        chunk.push(namedFrame('failed', { channel: channel.name, error: errorData(item.error) }))
        closeChannel(channel)
        return
    }
  }
  const collect = (): Uint8Array[] => {
    const chunk = first
    first = []
    if (wasLive !== link.live) {
      wasLive = link.live
      chunk.push(namedFrame('live', { live: wasLive, now: link.now() }))
    }
    // From the last, for a channel may end while it is read.
    for (let at = channels.length - 1; at >= 0; at--) {
      const channel = channels[at] as Channel
      for (const item of channel.reader.take(chunkBytes)) {
        frame(channel, item, chunk)
        if (channels[at] !== channel) break
      }
    }
    return chunk
  }
  /** Taking from one window can bring something to another. */
  let collecting = false
  let again = false
  /** Something may have come, for a reader that waits. */
  const ready = (): void => {
    again = true
    if (collecting) return
    collecting = true
    while (again && hasRoom && !over) {
      again = false
      const chunk = collect()
      if (chunk.length > 0) {
        const whole = joined(chunk)
        send(whole)
        if (isOfOtherOrg) end()
        // What was too much for one piece.
        again ||= whole.length >= chunkBytes
      } else if (channels.length === 0) end(failedMs)
    }
    collecting = false
  }

  for (const name of request.channels) open(name)
  // Where the body is not cancelled when its reader leaves. Last, for it may have left already.
  stopListening = onAbort(parts.signal, abandon)
  return {
    pull() {
      hasRoom = true
      ready()
    },
    end,
    leave: finish,
  }
}
