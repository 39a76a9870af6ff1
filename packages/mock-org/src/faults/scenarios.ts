import type { World } from '../world.ts'
import type { Faults } from './faults.ts'

interface Stage {
  world: World
  faults: Faults
}

interface Scenario {
  title: string
  arm(stage: Stage): void
}

export type ScenarioId = 'S01'

export const scenarios: Record<ScenarioId, Scenario> = { S01: { title: 'handshake without advice', arm: () => undefined } }

export const scenarioIds = Object.keys(scenarios) as ScenarioId[]

export function isScenario(id: string): id is ScenarioId {
  return Object.hasOwn(scenarios, id)
}
