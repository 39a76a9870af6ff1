// Type-checks each package and example under its own tsconfig.json (core's has no DOM and no Node types), then the tests.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'

const projects = ['packages', 'examples']
  .filter(existsSync)
  .flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}/tsconfig.json`))
  .filter(existsSync)
let failed = false
for (const project of [...projects, 'tsconfig.json']) {
  const { status } = spawnSync('node_modules/.bin/tsc', ['-p', project], { stdio: 'inherit' })
  if (status !== 0) failed = true
}
process.exitCode = failed ? 1 : 0
