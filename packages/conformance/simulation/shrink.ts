import type { Plan } from './plan.ts'
import { type Outcome, simulate } from './simulate.ts'

/** How many runs a failing plan is worth. */
const mostRuns = 400

/**
 * A smaller plan that still fails: steps are left out, halves first, then single ones, then waits are cut. What happened on the
 * way may fail differently; any failure counts.
 */
export async function shrink(plan: Plan): Promise<{ plan: Plan; outcome: Outcome }> {
  let best = { plan, outcome: await simulate(plan) }
  let runs = 1
  const attempt = async (smaller: Plan): Promise<boolean> => {
    if (runs >= mostRuns) return false
    runs++
    const outcome = await simulate(smaller)
    if (outcome.violations.length === 0) return false
    best = { plan: smaller, outcome }
    return true
  }
  for (let size = Math.ceil(plan.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.plan.steps.length; ) {
      const { steps } = best.plan
      // What is left out still takes its time: the rest meets the same moments.
      const waitMs = steps.slice(at, at + size).reduce((sum, step) => sum + step.waitMs, 0)
      const rest = steps.slice(at + size)
      const [next, ...others] = rest
      const later = next ? [{ ...next, waitMs: next.waitMs + waitMs }, ...others] : []
      if (!(await attempt({ ...best.plan, steps: [...steps.slice(0, at), ...later] }))) at += size
    }
  }
  for (const channel of best.plan.settings.channels) {
    const channels = best.plan.settings.channels.filter((other) => other !== channel)
    const steps = best.plan.steps.filter(({ action }) => !('channel' in action) || action.channel !== channel.channel)
    if (channels.length > 0) await attempt({ ...best.plan, settings: { ...best.plan.settings, channels }, steps })
  }
  return { plan: best.plan, outcome: await simulate(best.plan, { trace: true }) }
}
