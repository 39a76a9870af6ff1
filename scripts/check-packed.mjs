// The gates on what is published: each public package is packed as it would be, then held against publint and attw.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const out = mkdtempSync(join(tmpdir(), 'sfstream-packed-'))
const required = resolve('.cache/required')
rmSync(required, { recursive: true, force: true })
mkdirSync(required, { recursive: true })
let failed = false
const run = (command, args) => {
  const result = spawnSync(command, args, { encoding: 'utf8' })
  if (result.status !== 0) {
    failed = true
    console.error(`${command} ${args.join(' ')}\n${result.stdout}${result.stderr}`)
  }
}
for (const name of readdirSync('packages')) {
  const manifest = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'))
  if (manifest.private) continue
  // Whoever installs it gets its dependencies alone: what the declarations import is one of them, too.
  for (const missing of undeclared(manifest, `packages/${name}/dist`)) {
    failed = true
    console.error(`${manifest.name}: ${missing} is imported by what is published, and is no dependency`)
  }
  for (const [entry, { require: cjs }] of Object.entries(manifest.exports)) {
    if (!cjs) continue
    // Node 20 below 20.19, and test runners of CommonJS, cannot require a dependency that has only ES modules; nor can types name one.
    run(process.execPath, ['--no-experimental-require-module', '-e', `require('./packages/${name}/${cjs.default}')`])
    writeFileSync(
      join(required, `${name}${entry.slice(1).replace('/', '-')}.cts`),
      `import it = require('${resolve('packages', name, cjs.default)}')\nvoid it\n`,
    )
  }
  const tarball = join(out, `${name}.tgz`)
  run('pnpm', ['--dir', `packages/${name}`, 'pack', '--out', tarball])
  run('node_modules/.bin/publint', ['run', '--strict', tarball])
  const entries = Object.keys(manifest.exports).filter((entry) => entry !== './package.json')
  if (entries.length > 0)
    run('node_modules/.bin/attw', [tarball, '--profile', 'node16', '--format', 'ascii', '--exclude-entrypoints', './package.json'])
  if (!failed) console.log(`${manifest.name}: packed, publint and attw clean`)
}
// Every declaration, as CommonJS reads it, with the types of Node alone.
const compilerOptions = {
  module: 'node16',
  target: 'es2022',
  lib: ['es2022', 'esnext.disposable'],
  types: ['node'],
  strict: true,
  noEmit: true,
}
writeFileSync(join(required, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.cts'] }))
run(process.execPath, ['node_modules/typescript/lib/tsc.js', '-p', required])
rmSync(required, { recursive: true })
rmSync(out, { recursive: true })

function undeclared({ name, dependencies = {} }, dist) {
  const imported = new Set()
  for (const file of readdirSync(dist, { recursive: true })) {
    if (!/\.([cm]?js|d\.[cm]?ts)$/.test(file)) continue
    const text = readFileSync(join(dist, file), 'utf8')
    for (const [, from] of text.matchAll(/^(?:import|export)\b[^'"]*?['"]([^'".][^'"]*)['"]/gm)) {
      const owner = from.startsWith('@') ? from.split('/').slice(0, 2).join('/') : from.split('/')[0]
      if (!owner.startsWith('node:') && owner !== name && !(owner in dependencies)) imported.add(owner)
    }
  }
  return imported
}

process.exitCode = failed ? 1 : 0
