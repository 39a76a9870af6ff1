import { SfStreamError, type StreamEvent } from '@sfstream/core'

/** An event as it stands in the window: encoded once, for all readers. */
export interface EventFrame {
  /** `data: …` and the empty line that ends it. */
  body: Uint8Array
  /** With the id that is right for everybody who reads this channel alone. */
  whole?: Uint8Array
}

const encoder = new TextEncoder()

export function encode(text: string): Uint8Array {
  return encoder.encode(text)
}

export function eventFrame({ message }: StreamEvent): { value: EventFrame; bytes: number } {
  const body = encode(`data: ${JSON.stringify(message)}\n\n`)
  return { value: { body }, bytes: body.length }
}

/** A named event. JSON has no line ends of its own. */
export function namedFrame(name: string, data: unknown, id?: string): Uint8Array {
  return encode(`event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`)
}

export function idLine(cursor: string): Uint8Array {
  return encode(`id: ${cursor}\n`)
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** What of an error a browser is told. */
export interface ErrorData {
  /** Its class. */
  name: string
  code: string
  message: string
  remediation: string
  retryable: boolean
  channel?: string
}

/** About the request, the channel or the position. Of what else happens between relay and org, only the code is told. */
const told = [
  'bad_option',
  'bad_channel',
  'client_stopped',
  'server_busy',
  'subscribe_refused',
  'replay_refused',
  'event_limit',
  'client_limit',
]

export function errorData(error: unknown): ErrorData {
  const {
    name = 'SfStreamError',
    code = 'server_stopped',
    message,
    remediation,
    retryable = false,
    channel,
  }: Partial<SfStreamError> = error instanceof SfStreamError ? error : {}
  if (message !== undefined && remediation !== undefined && told.includes(code))
    return { name, code, message, remediation, retryable, ...(channel === undefined ? {} : { channel }) }
  return {
    name,
    code,
    message: `The relay cannot stream from the org (${code}).`,
    remediation: 'Ask those who run the relay; its own client reports why.',
    retryable,
  }
}
