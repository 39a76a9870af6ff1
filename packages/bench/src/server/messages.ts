/** What clients send, as far as it is looked at. */
export interface Message {
  channel: string
  id?: string
  clientId?: string
  subscription?: string | string[]
  /** A timeout of 0 asks for an answer at once. */
  advice?: { timeout?: number }
  ext?: { replay?: Record<string, number> }
}

export interface Refusal {
  error: string
  reconnect: 'handshake' | 'none'
}

/** In Salesforce's words: clients classify by them. */
export const unknownClient: Refusal = { error: '403::Unknown client', reconnect: 'handshake' }
export const badToken: Refusal = { error: '401::Authentication invalid', reconnect: 'none' }

/** An org's. */
export const connectAdvice = ',"advice":{"reconnect":"retry","interval":0,"timeout":110000}'

export function accepted({ channel, id }: Message, rest: string): string {
  return `{"channel":"${channel}","id":${JSON.stringify(id ?? '')},"successful":true,${rest}}`
}

export function refused({ channel, id }: Message, { error, reconnect }: Refusal): string {
  return `{"channel":"${channel}","id":${JSON.stringify(id ?? '')},"successful":false,"error":"${error}","advice":{"reconnect":"${reconnect}","interval":0}}`
}

export function handshaken(message: Message, clientId: string): string {
  const ext = '"ext":{"replay":true,"payload.format":true}'
  return accepted(
    message,
    `"clientId":"${clientId}","version":"1.0","minimumVersion":"1.0","supportedConnectionTypes":["long-polling"],${ext}`,
  )
}
