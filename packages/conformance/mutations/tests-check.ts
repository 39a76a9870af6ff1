import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { child } from './child.ts'

const silenceMs = 100_000

export interface FailedTest {
  file: string
  name: string
}

interface Report {
  numTotalTests: number
  testResults: { name: string; message: string; assertionResults: { status: string; fullName: string }[] }[]
}

/**
 * Runs test files of the copy until one test fails, or all of them. @throws Error when a file does not load or holds no test: that is no sign
 * of a rule at work
 */
export async function failedTests(root: string, files: readonly string[], until: 'all' | 'first'): Promise<FailedTest[]> {
  const output = join(root, 'report.json')
  rmSync(output, { force: true })
  const { errors, silent } = await child(
    root,
    [
      ...['node_modules/vitest/vitest.mjs', 'run', ...files, '--reporter=json', `--outputFile=${output}`],
      ...(until === 'first' ? ['--bail=1'] : []),
    ],
    silenceMs,
  )
  if (silent) return [{ file: files.join(', '), name: `no end within ${silenceMs} ms` }]
  if (!existsSync(output)) throw new Error(`the tests did not run: ${errors}`)
  const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as Report
  const failed = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName }) => ({ file: relative(root, name).replaceAll('\\', '/'), name: fullName })),
  )
  if (failed.length > 0) return failed
  for (const file of files) {
    const result = testResults.find(({ name }) => relative(root, name).replaceAll('\\', '/') === file)
    if (!result || result.assertionResults.length === 0)
      throw new Error(`${file} holds no test, or does not load: ${result?.message ?? errors}`)
  }
  return []
}
