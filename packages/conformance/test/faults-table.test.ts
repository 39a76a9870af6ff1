import { readFileSync } from 'node:fs'
import { scenarioIds } from '@sfstream/mock-org'
import { describe, expect, test } from 'vitest'

/** docs/faults.md says which test shows each row: here the table is held to that. */

const root = new URL('../../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

interface Row {
  fault: string
  peers: string
  ours: string
  path: string
  name: string
}

const rows: Row[] = read('docs/faults.md')
  .split('\n')
  .filter((line) => /^\| (?!fault \||---)/.test(line))
  .map((line) => {
    const cells = line.split(' | ')
    const [fault = '', peers = '', ours = '', shown = ''] = cells
    const [, path = '', name = ''] = /^`([^`]+\.test\.ts)` `([^`]+)` \|$/.exec(shown) ?? []
    return { fault: fault.slice(2), peers, ours, path, name: cells.length === 4 ? name : '' }
  })

/** The rules of PROTOCOL.md by number. */
const rules = new Set([...read('PROTOCOL.md').matchAll(/^\| ([A-Z]\d+) \|/gm)].map(([, rule]) => rule))

/** Whether a test of this name stands in the file, and is expected to pass. */
function stands(source: string, name: string): boolean {
  for (const quote of ["'", '"', '`']) {
    const literal = `${quote}${name}${quote}`
    const at = source.indexOf(literal)
    if (at === -1) continue
    const call = source.slice(Math.max(0, source.lastIndexOf('\n\n', at)), at)
    return !/\b(it|test)\.(fails|skip|todo)\b[^;]*$/.test(call)
  }
  return false
}

describe('the table of faults', () => {
  test('has at least 45 rows, each of them once', () => {
    expect(rows.length).toBeGreaterThanOrEqual(45)
    expect(new Set(rows.map(({ fault, ours }) => `${fault} ${ours}`)).size).toBe(rows.length)
  })

  test.each(rows)('$fault: is shown by a test that exists', ({ peers, ours, path, name }) => {
    expect({ peers, ours }).not.toMatchObject({ peers: '', ours: '' })
    if (path.endsWith('/scenarios.test.ts')) expect(scenarioIds).toContain(name)
    else expect(stands(read(`packages/${path}`), name), `${path}: ${name}`).toBe(true)
  })

  test('names rules that exist', () => {
    const named = rows.flatMap(({ ours }) =>
      [...ours.matchAll(/\(([A-Z]\d+(?:, [A-Z]\d+)*)\)/g)].flatMap(([, list = '']) => list.split(', ')),
    )
    expect(named.length).toBeGreaterThan(60)
    expect(named.filter((rule) => !rules.has(rule))).toEqual([])
  })
})

describe('looking for a test by its name', () => {
  test.each([
    ["it('a b', () => {})", true],
    ["it.each([1])('a b', () => {})", true],
    ["it('a b c', () => {})", false],
    ["it.fails('a b', () => {})", false],
    ["it('a c', () => {})", false],
  ])('%s: %s', (source, expected) => {
    expect(stands(source, 'a b')).toBe(expected)
  })
})
