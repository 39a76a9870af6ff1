/** One POST of the Bayeux conversation. */
export interface TransportRequest {
  url: URL
  headers: Readonly<Record<string, string>>
  body: string
  signal: AbortSignal
  deadline: Deadline
  /** The page may be going away: let the request outlive it where the runtime can. */
  keepalive?: boolean
  /**
   * Reads what is whole in the text of a reply so far. A transport may call it with what has arrived of a long body, go on with `rest`
   * and what follows, and return what was read as `ahead`: long replies are then read while they are coming. One that looks into texts
   * of replies leaves it alone.
   */
  readAhead?(text: string): { messages: unknown[]; rest: string }
}

/** Limits of one exchange, in milliseconds. */
export interface Deadline {
  /** Until the response's headers. */
  headersMs: number
  /** Between two pieces of the body. */
  idleMs: number
  /** In all. */
  totalMs: number
}

export interface TransportResponse {
  status: number
  /** Lower-case name to value. */
  header(name: string): string | undefined
  text: string
  /** Messages of the body that are not in `text` any more, and how long their text was. */
  ahead?: { messages: unknown[]; length: number }
  /** Why the body is not whole; what did arrive is in `text` and `ahead`. */
  cut?: 'broken' | 'timeout' | 'too_large'
}

/** How bytes get to the org and back. Owns cookies and connections. A custom one replaces `fetch` altogether. */
export interface Transport {
  /** @throws TransportError `network`, `timeout` or `redirected` before a status was known; the signal's reason on abort. */
  exchange(request: TransportRequest): Promise<TransportResponse>
  /**
   * Resolves once what `exchange` was given in this turn is on the wire, or has to wait for its connection. Whoever has long work to
   * do then does it while the network is busy. Absent where requests leave without it.
   */
  flushed?(): Promise<void>
  /** Forgets cookies: the next handshake starts a new browser session. */
  reset?(): void
  close?(): void | Promise<void>
}
