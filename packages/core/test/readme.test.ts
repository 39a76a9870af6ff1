import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const section = (title: string): string => text('../README.md').split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
const firstColumn = (title: string): string[] =>
  section(title)
    .split('\n')
    .flatMap((line) => /^\| (`.*?) \|/.exec(line)?.[1]?.split(', ') ?? [])
    .map((name) => name.replaceAll(/[`']/g, ''))
    .filter((name) => name !== 'type' && name !== 'ended')
const quoted = (source: string): string[] => [...source.matchAll(/'([\w-]+)'/g)].map(([, name]) => name as string)

test('the README names whatever status() can say', () => {
  const types = text('../src/source/source-status.ts') + text('../src/client-status.ts')
  expect(firstColumn('What `status()` tells').sort()).toEqual([...types.matchAll(/\btype: '(\w+)'/g)].map(([, name]) => name).sort())
  const values = ['SourceState', 'ReplayGapReason'].flatMap((name) => quoted(types.split(`type ${name} =`)[1]?.split('\n\n')[0] ?? ''))
  expect(values.length).toBeGreaterThan(12)
  for (const value of values) expect(section('What `status()` tells')).toContain(`\`${value}\``)
})

test('the README names each end of a subscription', () => {
  const ends = quoted(text('../src/delivery/subscription.ts').split('Why it ended:')[1]?.split('*/')[0] ?? '')
  expect(firstColumn('Why a subscription ended').sort()).toEqual(ends.sort())
})

/** The rows of PROTOCOL.md: code, classes. */
const codes = new Map(
  [...text('../../../PROTOCOL.md').matchAll(/^\| `(\w+)` \| ((?:\w+Error\b[^|]*)) \|/gm)].map(([, code, classes]) => [
    code as string,
    [...(classes as string).matchAll(/\w+Error/g)].map(([name]) => name as string),
  ]),
)

test('PROTOCOL.md has a row for each error code, and for no other', () => {
  const union = text('../src/errors.ts').split('type ErrorCode =')[1]?.split('\n\n')[0] ?? ''
  expect([...codes.keys()].sort()).toEqual(quoted(union).sort())
})

test('and each class that a code is thrown with, in any package', () => {
  const missing: string[] = []
  for (const { name } of readdirSync(new URL('../..', import.meta.url), { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    if (['bench', 'conformance'].includes(name)) continue
    for (const file of readdirSync(new URL(`../../${name}/src`, import.meta.url), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue
      for (const [, thrown, code] of text(`../../${name}/src/${file}`).matchAll(/new (\w+Error)\(\{\s*code: '(\w+)'/g)) {
        if (!codes.get(code as string)?.includes(thrown as string)) missing.push(`${code}: ${thrown} (${name}/src/${file})`)
      }
    }
  }
  expect(missing).toEqual([])
})
