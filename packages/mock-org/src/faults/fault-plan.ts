import type { SeenRequest } from '../records.ts'
import type { PlannedFault, RequestKind } from './fault.ts'

/** The faults to come, in the order they were planned: the first that fits a request befalls it. */
export interface FaultPlan {
  add(fault: PlannedFault): () => void
  take(request: SeenRequest): PlannedFault | undefined
  clear(): void
  readonly pending: number
}

export function faultPlan(): FaultPlan {
  let planned: { fault: PlannedFault; passed: number; left: number }[] = []
  return {
    add(fault) {
      const entry = { fault, passed: 0, left: fault.times ?? 1 }
      planned.push(entry)
      return () => {
        planned = planned.filter((other) => other !== entry)
      }
    },
    take(request) {
      for (const entry of planned) {
        if (!fits(entry.fault, request)) continue
        entry.passed += 1
        if (entry.passed <= (entry.fault.after ?? 0)) continue
        entry.left -= 1
        if (entry.left <= 0) planned = planned.filter((other) => other !== entry)
        return entry.fault
      }
      return undefined
    },
    clear() {
      planned = []
    },
    get pending() {
      return planned.length
    },
  }
}

function fits(fault: PlannedFault, request: SeenRequest): boolean {
  if (!kindFits(fault.on, request.kinds)) return false
  if (fault.channel !== undefined && !request.subscriptions.includes(fault.channel)) return false
  return fault.when?.(request) ?? true
}

function kindFits(on: RequestKind, kinds: readonly RequestKind[]): boolean {
  return on === 'any' || kinds.includes(on)
}
