import type { MockOrg } from '@sfstream/mock-org'

export type Message = Record<string, unknown>

/** A client of the tests' own: sends what it is told to, keeps cookies, hides nothing. */
export interface RawClient {
  clientId: string
  readonly cookies: Map<string, string>
  token: string
  post(messages: Message | Message[], path?: string): Promise<{ status: number; text: string; messages: Message[]; response: Response }>
  handshake(fields?: Message): Promise<Message>
  connect(fields?: Message, signal?: AbortSignal): Promise<Message[]>
  subscribe(channel: string, replay?: unknown): Promise<Message | undefined>
  /** Handshake and first connect. */
  start(): Promise<RawClient>
}

export function rawClient(org: MockOrg, { version = '66.0', fetch = org.fetch, token = org.session().accessToken } = {}): RawClient {
  let id = 0
  const cookies = new Map<string, string>()
  const nextId = (): string => {
    id += 1
    return String(id)
  }
  const send = async (messages: Message | Message[], path: string, signal?: AbortSignal) => {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' }
    if (self.token) headers.Authorization = `Bearer ${self.token}`
    if (cookies.size > 0) headers.Cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(`${org.url}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(messages),
      ...(signal ? { signal } : {}),
    })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    const text = await response.text()
    return { status: response.status, text, messages: text.startsWith('[') ? (JSON.parse(text) as Message[]) : [], response }
  }
  const self: RawClient = {
    clientId: '',
    cookies,
    token,
    post: (messages, path = `/cometd/${version}`) => send(messages, path),
    async handshake(fields = {}) {
      const base = { channel: '/meta/handshake', id: nextId(), version: '1.0', supportedConnectionTypes: ['long-polling'] }
      const { messages } = await send([{ ...base, ...fields }], `/cometd/${version}`)
      self.clientId = String(messages[0]?.clientId ?? self.clientId)
      return messages[0]!
    },
    async connect(fields = {}, signal) {
      const base = { channel: '/meta/connect', id: nextId(), clientId: self.clientId, connectionType: 'long-polling' }
      return (await send([{ ...base, ...fields }], `/cometd/${version}`, signal)).messages
    },
    async subscribe(channel, replay) {
      const ext = replay === undefined ? {} : { ext: { replay: { [channel.split('?')[0]!]: replay } } }
      const base = { channel: '/meta/subscribe', id: nextId(), clientId: self.clientId, subscription: channel }
      return (await send([{ ...base, ...ext }], `/cometd/${version}`)).messages.at(-1)
    },
    async start() {
      await self.handshake()
      await self.connect()
      return self
    },
  }
  return self
}

export function dataOf(messages: readonly Message[]): Message[] {
  return messages.filter((message) => message.data !== undefined)
}
