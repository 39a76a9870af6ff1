import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface FakePrograms {
  /** Puts a program there; `body` is JavaScript that finds its `args` and may `say` an object as JSON. */
  add(name: string, body: string): Promise<void>
  /** The arguments of each run so far, the program's name first. */
  readonly runs: string[][]
  /** The process ids that programs noted with `note(pid)`. */
  readonly noted: number[]
  remove(): Promise<void>
}

/** A folder that is the whole PATH until it is removed. */
export async function fakePrograms(): Promise<FakePrograms> {
  const folder = await mkdtemp(join(tmpdir(), 'sfstream-path-'))
  const before = process.env.PATH
  process.env.PATH = folder
  const lines = (name: string): string[] => {
    const path = join(folder, name)
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []
  }
  return {
    async add(name, body) {
      const head = `#!${process.execPath}
const { appendFileSync } = require('node:fs')
const args = process.argv.slice(2)
appendFileSync(${JSON.stringify(join(folder, 'runs'))}, JSON.stringify([${JSON.stringify(name)}, ...args]) + '\\n')
const note = (pid) => appendFileSync(${JSON.stringify(join(folder, 'noted'))}, pid + '\\n')
const say = (value, code = 0) => { process.stdout.write(JSON.stringify(value, null, 2) + '\\n'); process.exitCode = code }
`
      await writeFile(join(folder, name), head + body)
      await chmod(join(folder, name), 0o755)
    },
    get runs() {
      return lines('runs').map((line) => JSON.parse(line) as string[])
    },
    get noted() {
      return lines('noted').map(Number)
    },
    async remove() {
      process.env.PATH = before
      await rm(folder, { recursive: true, force: true })
    },
  }
}
