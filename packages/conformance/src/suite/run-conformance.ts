import type { RuntimeName } from './capabilities.ts'
import type { Adapter, CaseResult } from './harness.ts'
import { orgControl } from './org-control.ts'
import { suiteCases } from './suite-cases.ts'

export interface Environment {
  runtime: RuntimeName
  adapter: Adapter
  hostUrl: string
  /** Only cases whose group and name contain this. */
  only?: string
}

/** Finds what hangs; says nothing about speed. */
const caseLimitMs = 20_000

/** Runs every case, one after the other. */
export async function runConformance({ runtime, adapter, hostUrl, only = '' }: Environment): Promise<CaseResult[]> {
  const org = orgControl(hostUrl)
  const cases = suiteCases(runtime, adapter, org).filter(({ group, name }) => `${group} ${name}`.includes(only))
  const results: CaseResult[] = []
  for (const { group, name, run, reason } of cases) {
    if (reason !== undefined) {
      results.push({ group, name, outcome: 'skipped', reason, ms: 0 })
      continue
    }
    const began = Date.now()
    const failure = await failureOf(org.reset().then(() => withinLimit(run())))
    const ms = Date.now() - began
    results.push(failure === undefined ? { group, name, outcome: 'passed', ms } : { group, name, outcome: 'failed', reason: failure, ms })
  }
  return results
}

async function failureOf(work: Promise<void>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ''}` : String(error)
  }
}

function withinLimit(work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not done within ${caseLimitMs} ms`)), caseLimitMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
