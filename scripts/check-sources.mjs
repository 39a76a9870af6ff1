// Rules of the sources that no linter knows: pure folders stay pure, core takes time, chance and network from the
// Platform port only, no file grows past 400 lines, and no local path or registry host is committed.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' }).trim().split('\n')
const problems = []
const code = (text) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '').replace(/'(?:[^'\\\n]|\\.)*'/g, "''")

for (const path of tracked) {
  if (!/^packages\/[^/]+\/src\/.*\.ts$/.test(path)) continue
  const text = readFileSync(path, 'utf8')
  const lines = text.split('\n').length
  if (lines > 401) problems.push(`${path}: ${lines} lines; split it, 400 is the limit`)
  const body = code(text)
  if (/^packages\/core\/src\/bayeux\/(wire|machine)\//.test(path)) {
    const impure = /\b(Promise|await|async|setTimeout|fetch|Date\.now|Math\.random|new Date\(\))\b/.exec(body)
    if (impure) problems.push(`${path}: '${impure[1]}' in a pure folder`)
  }
  if (/^packages\/(core|auth)\/src\//.test(path) && !path.endsWith('/platform.ts')) {
    const global = /(?<![.\w])(setTimeout|setInterval|Date\.now|Math\.random|AbortSignal\.any|AbortSignal\.timeout)\b/.exec(body)
    if (global) problems.push(`${path}: '${global[1]}'; use the Platform port`)
  }
  if (/^packages\/core\/src\//.test(path) && /^(?:let|var)\s/m.test(body)) problems.push(`${path}: module-level mutable state`)
  if (/^export \* /m.test(body) && !/^packages\/(node|browser|deno|cloudflare)\/src\/index\.ts$/.test(path))
    problems.push(`${path}: export *; name what is exported`)
}

for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
