import { happyPath } from './scenarios/happy-path.ts'
import { interopAdvice } from './scenarios/interop-advice.ts'
import { interopConnect } from './scenarios/interop-connect.ts'
import { interopHandshake } from './scenarios/interop-handshake.ts'
import { interopSession } from './scenarios/interop-session.ts'
import { logins } from './scenarios/logins.ts'
import { refusals } from './scenarios/refusals.ts'
import type { Scenario } from './scenarios/scenario.ts'
import { semantics } from './scenarios/semantics.ts'
import { sessionLoss } from './scenarios/session-loss.ts'
import { transport } from './scenarios/transport.ts'

const numbered = {
  ...happyPath,
  ...sessionLoss,
  ...logins,
  ...refusals,
  ...transport,
  ...semantics,
  ...interopHandshake,
  ...interopConnect,
  ...interopAdvice,
  ...interopSession,
}

export type ScenarioId = keyof typeof numbered

export const scenarios: Readonly<Record<ScenarioId, Scenario>> = numbered

/** Those of Salesforce (S) first, then those of other Bayeux software (C), each in the order of their numbers. */
export const scenarioIds = (Object.keys(scenarios) as ScenarioId[]).sort((one, other) =>
  one[0] === other[0] ? one.localeCompare(other) : other.localeCompare(one),
) as readonly ScenarioId[]

/** What each scenario is about, in a line. */
export const scenarioTitles: Readonly<Record<ScenarioId, string>> = Object.fromEntries(
  scenarioIds.map((id) => [id, scenarios[id].title]),
) as Record<ScenarioId, string>

export function isScenario(id: string): id is ScenarioId {
  return Object.hasOwn(scenarios, id)
}
