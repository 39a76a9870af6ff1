/** What the server does with connects once a session has subscribed. */
export type Plan =
  /** Holds them; events come by `publish`, in replies of their own. */
  | { kind: 'hold' }
  /** Answers each at once with a batch: the load. */
  | { kind: 'stream'; batch: number; total?: number }
  /** Replays numbers 1 to `events` from where a subscribe asks for it, `batch` in a reply; then holds. */
  | { kind: 'backlog'; events: number; batch: number }

export interface ServerPlan {
  feed: Plan
  /** Every reply leaves this much later: the round trip of a network. */
  delayMs?: number
  eventBytes?: number
  channels?: readonly string[]
  /** Nothing is fed before `open`. */
  closed?: boolean
}

/** Poisson arrivals: independent, so that events also fall into the time between two polls. */
export interface Arrivals {
  count: number
  meanMs: number
  seed: number
}

export interface ServerFigures {
  /** Between the last byte of a connect's reply handed to the kernel and the next connect read whole, in ms, sorted. */
  gapsMs: number[]
  /** Share of one core that the server took since `begin`. */
  busy: number
  /** Events written since the plan. */
  written: number
  replies: number
}

export interface LoggedRequest {
  atMs: number
  channel: string
  ok: boolean
}

/** What the parent may ask of the server's process. */
export interface ServerCommands {
  plan(plan: ServerPlan): void
  /** Feeds what the plan kept closed. */
  open(): void
  begin(): void
  figures(): ServerFigures
  /** Resolves when the last one was published. */
  publish(arrivals: Arrivals): Promise<void>
  /** Connects of subscribed sessions, and bare requests to `/hold`, that are held. */
  held(): number
  /** Forgets every session, as an org does; held connects are told. Returns when that left. */
  loseSessions(): number
  /** Refuses every token but this one from now on; held connects are told. Returns when that left. */
  expireToken(valid: string): number
  /** Closes the port and every connection, forgets the sessions, opens again. Returns when the port was open again. */
  restart(downMs: number): Promise<number>
  /** Requests since the plan. */
  requests(): LoggedRequest[]
}

export type ServerCommand = {
  [Name in keyof ServerCommands]: { id: number; name: Name; args: Parameters<ServerCommands[Name]> }
}[keyof ServerCommands]
