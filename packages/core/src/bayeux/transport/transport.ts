/** One POST of the Bayeux conversation. */
export interface TransportRequest {
  url: URL
  headers: Readonly<Record<string, string>>
  body: string
  signal: AbortSignal
  deadline: Deadline
  /** The page may be going away: let the request outlive it where the runtime can. */
  keepalive?: boolean
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
  /** Why the body is not whole; what did arrive is in `text`. */
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
