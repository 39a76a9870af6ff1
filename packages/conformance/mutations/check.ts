// Turns the safety rules off, one at a time, in a copy of the sources, and shows that a test or the simulation notices each.
//   pnpm mutations [--only <rule>] [--list]
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Rule } from './rule.ts'
import { rules } from './rules.ts'
import { failedSeeds } from './seeds-check.ts'
import { type FailedTest, failedTests } from './tests-check.ts'
import { changed, type WorkspaceCopy, workspaceCopy } from './workspace-copy.ts'

/** What fails with every rule on. */
interface Skipped {
  seeds: readonly number[]
  tests: readonly FailedTest[]
}

const checkout = fileURLToPath(new URL('../../..', import.meta.url))
const print = (line: string): void => void process.stdout.write(`${line}\n`)
const short = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text)
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const named = ({ shownBy: { tests = [], simulation } }: Rule): string[] => [...tests, ...(simulation ? ['simulation'] : [])]

const { values } = parseArgs({ options: { only: { type: 'string' }, list: { type: 'boolean', default: false } } })
const chosen = rules.filter(({ rule }) => values.only === undefined || rule === values.only)

process.exitCode = await main()

async function main(): Promise<number> {
  if (chosen.length === 0) return complain(`no rule ${values.only} is listed`)
  const problems = outdated()
  if (problems.length > 0) return complain(problems.join('\n'))
  if (values.list) {
    for (const each of chosen) print(row([each.rule, each.what, each.file, named(each).join(', ')]))
    return 0
  }
  const copy = workspaceCopy(checkout)
  try {
    return await checkAll(copy)
  } finally {
    copy.remove()
  }
}

async function checkAll(copy: WorkspaceCopy): Promise<number> {
  const files = [...new Set(chosen.flatMap(({ shownBy }) => shownBy.tests ?? []))].sort()
  const broken = files.length > 0 ? await failedTests(copy.root, files, 'all') : []
  // A test or seed that fails by itself says nothing about a rule.
  const failing = chosen.some(({ shownBy }) => shownBy.simulation) ? await failedSeeds(copy.root, 'all') : []
  print(`every rule on: ${broken.length} tests of ${files.length} files and ${failing.length} seeds fail by themselves, and are left out`)
  for (const { file, name } of broken) print(`  ${file}: ${name}`)
  const skip: Skipped = { seeds: failing.map(({ seed }) => seed), tests: broken }

  print(row(['rule', 'turned off', 'shown by', 'result']))
  print(row(['---', '---', '---', '---']))
  let missed = 0
  for (const each of chosen) {
    const results = await notice(copy, each, skip)
    if (results.includes(undefined)) missed++
    for (const [at, by] of named(each).entries()) {
      const result = results[at]
      print(
        row([each.rule, each.what, by, result === undefined ? 'NOT CAUGHT' : `caught: ${short(result.replaceAll(/[|\n]/g, ' '), 160)}`]),
      )
    }
  }
  print(`${chosen.length} rules turned off, ${chosen.length - missed} caught, ${missed} not caught`)
  return missed === 0 ? 0 : 1
}

/** What each of the named checks says to a rule that is off; undefined for nothing. */
async function notice(copy: WorkspaceCopy, rule: Rule, skip: Skipped): Promise<(string | undefined)[]> {
  const turnOn = copy.turnOff(rule)
  const results: (string | undefined)[] = []
  try {
    for (const file of rule.shownBy.tests ?? []) {
      const left = skip.tests.filter((test) => test.file === file).map(({ name }) => name)
      const failed = await failedTests(copy.root, [file], left.length === 0 ? 'first' : 'all')
      results.push(failed.find(({ name }) => !left.includes(name))?.name)
    }
    if (rule.shownBy.simulation) {
      const [failed] = await failedSeeds(copy.root, 'first', skip.seeds)
      results.push(failed && `seed ${failed.seed}: ${failed.violation}`)
    }
  } finally {
    turnOn()
  }
  return results
}

/** The rules whose text is not, or no longer, in the sources exactly once; and those that name no check. */
function outdated(): string[] {
  return chosen.flatMap((each) => {
    try {
      changed(readFileSync(join(checkout, each.file), 'utf8'), each)
    } catch (error) {
      return [(error as Error).message]
    }
    return named(each).length > 0 ? [] : [`${each.rule} (${each.what}): no check is named`]
  })
}

function complain(message: string): number {
  process.stderr.write(`${message}\n`)
  return 1
}
