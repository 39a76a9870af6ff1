/** What happened on one day of a simulated month: what was done to the client, and what it did. */
export interface Day {
  published: number
  /** Times at which something was published. */
  bursts: number
  /** Tokens that ran out, releases of the org, maintenance windows. */
  revoked: number
  released: number
  maintained: number
  /** Requests of the client, and those of them that were handshakes. */
  requests: number
  handshakesTried: number
  /** Handshakes and logins that succeeded. */
  handshakes: number
  logins: number
  /** What `status()` said. */
  rehandshakes: number
  reauthentications: number
  pauses: number
  gaps: number
  /** After a forced collection at the end of the day; undefined where none can be forced. */
  heapBytes: number | undefined
}

export function blankDay(): Day {
  return {
    published: 0,
    bursts: 0,
    revoked: 0,
    released: 0,
    maintained: 0,
    requests: 0,
    handshakesTried: 0,
    handshakes: 0,
    logins: 0,
    rehandshakes: 0,
    reauthentications: 0,
    pauses: 0,
    gaps: 0,
    heapBytes: undefined,
  }
}

/** What the client may have done at most on such a day. */
export interface Allowance {
  handshakes: number
  handshakesTried: number
  logins: number
  requests: number
}

const daySeconds = 86_400
/** An idle connect is held this long, and a load balancer's cookie lives so long: the org's switches. */
const holdSeconds = 110
const cookieSeconds = 10_800
/** Tries within five minutes offline: full jitter makes their number a matter of chance, about ten. */
const triesOffline = 25

/**
 * Every loss costs one handshake, every token that ran out one login. Of the requests, each connect ends by being held out, by
 * events, or with its session; a session begins with a handshake, a subscribe and a connect answered at once. A pause costs
 * an unsubscribe, a subscribe and the connects between (rule U8).
 */
export function allowance(day: Day, first: boolean): Allowance {
  const beginnings = first ? 1 : 0
  const cookies = Math.ceil(daySeconds / cookieSeconds)
  const handshakes = beginnings + day.revoked + day.released + day.maintained + cookies
  const logins = beginnings + day.revoked
  const handshakesTried = handshakes + triesOffline * day.maintained
  return {
    handshakes,
    handshakesTried,
    logins,
    requests: Math.ceil(daySeconds / holdSeconds) + day.bursts + logins + 4 * handshakes + triesOffline * day.maintained + 6 * day.pauses,
  }
}
