import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const packages = fileURLToPath(new URL('../../..', import.meta.url))

/** The numbers that test names begin with, in every package. */
function testedNumbers(): Set<number> {
  const numbers = new Set<number>()
  for (const name of readdirSync(packages)) {
    let files: string[]
    try {
      files = readdirSync(`${packages}/${name}/test`, { recursive: true, encoding: 'utf8' })
    } catch {
      continue
    }
    for (const file of files.filter((path) => path.endsWith('.test.ts'))) {
      const text = readFileSync(`${packages}/${name}/test/${file}`, 'utf8')
      for (const [, cases] of text.matchAll(/['"`]((?:P\d+ )+)/g))
        for (const each of cases!.trim().split(' ')) numbers.add(Number(each.slice(1)))
    }
  }
  return numbers
}

it('each of the 80 cases of the Python peers has a test that bears its number', () => {
  const tested = testedNumbers()
  const missing = Array.from({ length: 80 }, (_, at) => at + 1).filter((number) => !tested.has(number))
  expect(missing).toEqual([])
  expect([...tested].filter((number) => number > 80)).toEqual([])
})
