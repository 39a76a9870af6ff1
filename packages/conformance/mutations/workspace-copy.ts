import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Rule } from './rule.ts'

/** A copy of the sources to break, so that the checkout is never touched. */
export interface WorkspaceCopy {
  readonly root: string
  /** Turns a rule off; the returned function turns it on again. @throws Error where the rule's text is not there exactly once */
  turnOff(rule: Rule): () => void
  remove(): void
}

export function workspaceCopy(checkout: string): WorkspaceCopy {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'sfstream-mutations-')))
  for (const name of ['package.json', 'tsconfig.json', 'vitest.config.ts']) cpSync(join(checkout, name), join(root, name))
  // The migration guide is compared with its tests.
  cpSync(join(checkout, 'docs'), join(root, 'docs'), { recursive: true })
  cpSync(join(checkout, 'packages'), join(root, 'packages'), {
    recursive: true,
    filter: (from) => !['node_modules', 'dist'].includes(basename(from)),
  })
  linkModules(checkout, root)
  for (const name of readdirSync(join(root, 'packages'))) linkModules(join(checkout, 'packages', name), join(root, 'packages', name))
  return {
    root,
    turnOff(rule) {
      const path = join(root, rule.file)
      const before = readFileSync(path, 'utf8')
      writeFileSync(path, changed(before, rule))
      return () => writeFileSync(path, before)
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** Link by link: a linked folder would take caches into the checkout, and `@sfstream` back to its sources. */
function linkModules(from: string, to: string): void {
  const source = join(from, 'node_modules')
  if (!existsSync(source)) return
  mkdirSync(join(to, 'node_modules'))
  for (const name of readdirSync(source)) {
    if (!name.startsWith('.') && name !== '@sfstream') symlinkSync(join(source, name), join(to, 'node_modules', name))
  }
}

/** The text with a rule turned off. @throws Error where the rule's text is not there exactly once */
export function changed(text: string, { rule, what, file, find, replace }: Rule): string {
  const times = text.split(find).length - 1
  if (times !== 1) throw new Error(`${rule} (${what}): its text occurs ${times} times in ${file}, not once; bring mutations/ up to date`)
  return text.replace(find, () => replace)
}
