import type { HoldEnd, Session } from './session.ts'

/** The living sessions of all nodes. Expiry needs no timer: a session past its time is found dead when next looked for. */
export interface SessionTable {
  add(session: Session): void
  /** By clientId, on the node that asks; undefined on any other. */
  find(clientId: string, node: number): Session | undefined
  remove(session: Session, end: HoldEnd): void
  /** The living ones: each holds a client slot. */
  all(): Session[]
  /** Most slots in use at once. */
  readonly peak: number
  /** Ended ones, newest last. */
  readonly ended: readonly Session[]
}

/** Ended sessions kept for inspection. */
const endedKept = 1_000
/** Of these, so many keep what was still queued for them. */
const queuesKept = 20

export function sessionTable(now: () => number): SessionTable {
  const sessions = new Map<string, Session>()
  const ended: Session[] = []
  let peak = 0

  const forget = (session: Session): void => {
    sessions.delete(session.clientId)
    ended.push(session)
    if (ended.length > endedKept) ended.shift()
    const old = ended.at(-queuesKept - 1)
    if (old) old.queue = []
  }

  const all = (): Session[] => {
    for (const session of sessions.values()) if (session.expiresAt <= now()) forget(session)
    return [...sessions.values()]
  }

  return {
    add(session) {
      sessions.set(session.clientId, session)
      peak = Math.max(peak, all().length)
    },
    find(clientId, node) {
      const session = sessions.get(clientId)
      if (!session) return undefined
      if (session.expiresAt <= now()) {
        forget(session)
        return undefined
      }
      return session.node === node ? session : undefined
    },
    remove(session, end) {
      if (sessions.has(session.clientId)) forget(session)
      session.held?.finish(end)
    },
    all,
    get peak() {
      return peak
    },
    ended,
  }
}
