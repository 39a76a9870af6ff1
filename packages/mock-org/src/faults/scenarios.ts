import { happyPath } from './scenarios/happy-path.ts'
import { logins } from './scenarios/logins.ts'
import { refusals } from './scenarios/refusals.ts'
import type { Scenario } from './scenarios/scenario.ts'
import { semantics } from './scenarios/semantics.ts'
import { sessionLoss } from './scenarios/session-loss.ts'
import { transport } from './scenarios/transport.ts'

const all = { ...happyPath, ...sessionLoss, ...logins, ...refusals, ...transport, ...semantics }

export type ScenarioId = keyof typeof all

export const scenarios: Readonly<Record<ScenarioId, Scenario>> = all

export const scenarioIds = Object.keys(scenarios) as readonly ScenarioId[]

/** What each scenario is about, in a line. */
export const scenarioTitles: Readonly<Record<ScenarioId, string>> = Object.fromEntries(
  Object.entries(scenarios).map(([id, { title }]) => [id, title]),
) as Record<ScenarioId, string>

export function isScenario(id: string): id is ScenarioId {
  return Object.hasOwn(scenarios, id)
}
