// jsr.json says what package.json says, and JSR would take the package: a dry run, beside the packages as they are installed.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = 'packages/deno'
const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
const jsr = JSON.parse(readFileSync(join(folder, 'jsr.json'), 'utf8'))
const problems = []
const same = (what, actual, expected) => {
  if (JSON.stringify(actual) !== JSON.stringify(expected))
    problems.push(`${folder}/jsr.json: ${what} is ${JSON.stringify(actual)}; package.json says ${JSON.stringify(expected)}`)
}
for (const field of ['name', 'version', 'license']) same(field, jsr[field], manifest[field])
same('exports', jsr.exports, manifest.exports['.'].import.default.replace('./dist/', './src/').replace(/\.js$/, '.ts'))
const version = (name) => JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version
const wanted = Object.keys(manifest.dependencies).flatMap((name) => [
  [name, `npm:${name}@${version(name)}`],
  ...(`${name}/internal` in jsr.imports ? [[`${name}/internal`, `npm:${name}@${version(name)}/internal`]] : []),
])
same('imports', jsr.imports, Object.fromEntries(wanted))

const place = mkdtempSync(join(tmpdir(), 'sfstream-jsr-'))
try {
  for (const name of [...jsr.publish.include, 'package.json']) cpSync(join(folder, name), join(place, name), { recursive: true })
  for (const name of Object.keys(manifest.dependencies)) install(realpathSync(join(folder, 'node_modules', name)), name)
  const deno = realpathSync('packages/conformance/node_modules/deno-bin/bin.cjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [deno, 'publish', '--dry-run', '--allow-dirty', '--config', 'jsr.json'], {
    cwd: place,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  if (status !== 0) problems.push(`deno publish --dry-run:\n${stdout}${stderr}`)
} finally {
  rmSync(place, { recursive: true })
}

for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
else console.log(`${jsr.name}: jsr.json equal to package.json, and deno publish --dry-run clean`)

/** A copy of a workspace package, as npm would install it, and its own dependencies beside it. */
function install(from, name) {
  const to = join(place, 'node_modules', name)
  mkdirSync(to, { recursive: true })
  for (const part of ['package.json', 'dist']) cpSync(join(from, part), join(to, part), { recursive: true })
  const modules = join(from, 'node_modules')
  for (const each of readdirSync(modules)) {
    if (each.startsWith('.') || each.startsWith('@')) continue
    const link = join(place, 'node_modules', each)
    rmSync(link, { force: true })
    symlinkSync(realpathSync(join(modules, each)), link)
  }
  const scoped = join(modules, '@standard-schema/spec')
  try {
    mkdirSync(join(place, 'node_modules/@standard-schema'), { recursive: true })
    symlinkSync(realpathSync(scoped), join(place, 'node_modules/@standard-schema/spec'))
  } catch {
    // Not a dependency of this one, or there already.
  }
}
