import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const folder = fileURLToPath(new URL('..', import.meta.url))

/** Cases that no test of this folder can meet, and why. */
const unmet: Readonly<Record<number, string>> = {
  76: "a browser's own cookies: met where the client runs in browsers",
  87: 'the same suite on other runtimes: met where the conformance suite runs on each of them',
}

/** The numbers that names of tests begin with. */
function testedNumbers(): Set<number> {
  const numbers = new Set<number>()
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.test.ts'))
  for (const file of files) {
    const text = readFileSync(`${folder}/${file}`, 'utf8')
    // Titles of `it`, and of `it.each(…)`, which stand after its closing parenthesis.
    for (const [, cases] of text.matchAll(/(?:\bit|\]|\))\(\s*['"`](C\d{1,2}(?:, C\d{1,2})*) \[/g))
      for (const each of cases!.split(', ')) numbers.add(Number(each.slice(1)))
  }
  return numbers
}

it('each of the 90 cases of the Bayeux peers has a test that bears its number, or a reason', () => {
  const tested = testedNumbers()
  const all = Array.from({ length: 90 }, (_, at) => at + 1)
  expect(all.filter((number) => !tested.has(number) && !(number in unmet))).toEqual([])
  // A reason that is no longer true goes.
  expect(Object.keys(unmet).filter((number) => tested.has(Number(number)))).toEqual([])
  expect([...tested].filter((number) => number < 1 || number > 90)).toEqual([])
})
