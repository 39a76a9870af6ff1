import { HandshakeError, textOf } from '../../errors.ts'
import type { Decoded } from '../wire/decode.ts'
import { type Fault, messageFault } from '../wire/fault.ts'
import type { Advice } from '../wire/message.ts'
import { quoted } from '../wire/quoted.ts'

/** Never with a clientId: an old one would violate the protocol. [PROTOCOL H1] */
export const handshakeMessage = {
  channel: '/meta/handshake',
  supportedConnectionTypes: ['long-polling'],
  version: '1.0',
  minimumVersion: '1.0',
  ext: { replay: true },
}

/** A `fault`, or else the new session's `clientId`. */
export function readHandshake({ meta }: Decoded): { fault?: Fault; clientId?: string; advice: Advice | undefined } {
  const reply = meta.find((message) => message.channel === '/meta/handshake') ?? meta.find((message) => message.clientId) ?? meta[0] ?? {}
  const { clientId, advice, supportedConnectionTypes: types } = reply
  if (reply.successful === false || !clientId) return { fault: messageFault(reply, 'handshake'), advice }
  if (Array.isArray(types) && !types.includes('long-polling')) {
    const error = new HandshakeError({
      code: 'no_common_transport',
      message: `The server offers ${quoted(textOf(types)) || 'no transport'}, not long-polling.`,
      remediation: 'Check that the endpoint is an org’s /cometd.',
    })
    return { fault: { kind: 'config', error }, advice }
  }
  return { clientId, advice }
}
