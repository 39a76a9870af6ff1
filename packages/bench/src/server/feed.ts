import { type EventBatch, firstNumber } from './event-batch.ts'
import type { Plan } from './plan.ts'
import type { Session } from './sessions.ts'

/** Answers the held connect of a session if the plan has something for it. */
export function feedConnect(plan: Plan, session: Session, batch: EventBatch): void {
  if (!session.held || session.channels.size === 0) return
  const [queued] = session.queued
  if (queued) {
    const all = session.queued.splice(0)
    return session.held(
      joined(all.map(({ bytes }) => bytes)),
      all.reduce((sum, { count }) => sum + count, 0),
    )
  }
  if (plan.kind === 'hold') return
  const left = limitOf(plan) - (session.next - firstNumber)
  if (left <= 0) return
  const count = Math.min(batch.events, left)
  const bytes = (count === batch.events ? session.prepared : undefined) ?? batch.fill(session.next, 0, count)
  session.next += count
  session.prepared = undefined
  session.held(bytes, count)
  // While the client is busy: its wait is then the network's and the kernel's alone.
  setImmediate(() => {
    session.prepared ??= batch.fill(session.next)
  })
}

/** Where a subscribe lets a session begin. */
export function startPosition(
  plan: Plan,
  session: Session,
  channels: readonly string[],
  replay: Record<string, number> | undefined,
): number {
  const asked = replay?.[channels[0] ?? '']
  if (plan.kind !== 'backlog' || asked === undefined || asked === -1) return session.next
  return asked === -2 ? firstNumber : asked + 1
}

function limitOf(plan: Exclude<Plan, { kind: 'hold' }>): number {
  return plan.kind === 'backlog' ? plan.events : (plan.total ?? Number.POSITIVE_INFINITY)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!
  const comma = Buffer.from(',')
  return Buffer.concat(parts.flatMap((part, at) => (at === 0 ? [part] : [comma, part])))
}
