import { type Platform, ProtocolError, TransportError } from '@sfstream/core'
import { linkedController, untilAborted, watchdog } from '@sfstream/core/internal'
import { createParser } from 'eventsource-parser'

/** One event of a stream of Server-Sent Events. */
export interface StreamEventFrame {
  event?: string | undefined
  id?: string | undefined
  data: string
}

export interface EventStreamParts<T> {
  open(signal: AbortSignal): Promise<Response>
  /** What to make of a response that is no stream. */
  refused(response: Response): Promise<T>
  signal: AbortSignal
  platform: Platform
  receive(frame: StreamEventFrame): void
  retry(ms: number): void
  /** Called after each piece: resolves when the next one may be read. Not reading is what slows the relay down. */
  pause(): Promise<void>
  /** Whether `pause` would wait. */
  held(): boolean
}

/** As of a message from an org. */
const maxBufferSize = 16_777_216
/** Heartbeats that may be missed. */
const missedBeats = 2
const slackMs = 5_000

/**
 * Reads one stream to its end, under deadlines: the heartbeats tell that it lives. Rejects with a TransportError when it breaks, and with
 * the signal's reason; resolves where the request was refused.
 */
export async function eventStream<T>(parts: EventStreamParts<T>): Promise<T> {
  const { open, refused, signal, platform, receive, retry, pause, held } = parts
  const { controller, release } = linkedController(signal)
  const deadline = { headersMs: 30_000, idleMs: 40_000, totalMs: Number.POSITIVE_INFINITY }
  const watch = (): { progress(): void; stop(): void } =>
    watchdog(deadline, platform, (what) => controller.abort(broken('timeout', `The relay's stream was given up: ${what}.`)))
  let dog = watch()
  try {
    const response = await untilAborted(open(controller.signal), controller.signal)
    if (!response.ok) return await untilAborted(refused(response), controller.signal)
    if (!response.body || !response.headers.get('content-type')?.includes('text/event-stream')) {
      response.body?.cancel().catch(() => {})
      throw broken('bad_reply', `The relay's reply is no event stream but ${response.headers.get('content-type') ?? 'of no type'}.`)
    }
    const parser = createParser({
      maxBufferSize,
      onEvent(frame) {
        if (frame.event === 'hello') {
          const { heartbeatMs } = JSON.parse(frame.data) as { heartbeatMs?: unknown }
          if (typeof heartbeatMs === 'number') deadline.idleMs = heartbeatMs * missedBeats + slackMs
        }
        receive(frame)
      },
      onRetry: retry,
      onError(error) {
        if (error.type !== 'max-buffer-size-exceeded') return
        throw new ProtocolError({
          code: 'message_too_large',
          message: `The relay sent an event of more than ${maxBufferSize} characters.`,
          remediation: 'Ask those who run the relay.',
        })
      },
    })
    const reader = response.body.getReader()
    const decoder = new TextDecoder()
    try {
      for (;;) {
        const { done, value } = await untilAborted(reader.read(), controller.signal)
        if (done) throw broken('network', "The relay's stream has ended.")
        dog.progress()
        parser.feed(decoder.decode(value, { stream: true }))
        if (held()) {
          // Its heartbeats are not read either.
          dog.stop()
          await pause()
          deadline.headersMs = deadline.idleMs
          dog = watch()
        } else await pause()
      }
    } finally {
      reader.cancel().catch(() => {})
    }
  } finally {
    dog.stop()
    release()
    controller.abort()
  }
}

function broken(code: 'network' | 'timeout' | 'bad_reply', message: string): TransportError {
  return new TransportError({ code, message, remediation: 'It is begun again by itself, after the last event.', retryable: true })
}
