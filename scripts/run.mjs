// The two commands of the README, on a fresh machine with nothing but Node 20 and npm: installs what is missing, then
// runs the job. Everything is kept in the checkout, so the second run needs no network.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installBrowsers } from './browsers.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const pnpmVersion = manifest.engines.pnpm
const installStamp = join(root, 'node_modules/.sfstream-install')
const buildStamp = join(root, 'node_modules/.sfstream-build')

const [job, ...rest] = process.argv.slice(2)

if (Number(process.versions.node.split('.')[0]) < 20) fail(`Node ${process.versions.node} is too old: 20 or later is needed.`)

switch (job) {
  case 'start':
    install()
    build()
    // A pipe closed by the reader or a Ctrl-C is the child's business; its exit code is ours.
    exit(node(['packages/cli/dist/bin.js', ...(rest.length > 0 ? ['tail', ...rest] : ['demo'])]))
    break
  case 'test':
    install()
    build(true)
    installBrowsers()
    exit(pnpm(['exec', 'node', 'scripts/test-all.mjs', ...rest]))
    break
  case 'check':
    install()
    build()
    exit(pnpm(['run', 'check:all']))
    break
  default:
    fail(`unknown job '${job}': use start, test or check`)
}

function install() {
  const wanted = digest([
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'package.json',
    ...packageFolders().map((folder) => `${folder}/package.json`),
  ])
  if (existsSync(installStamp) && readFileSync(installStamp, 'utf8') === wanted) return
  console.error('Installing (the first time only) …')
  const code = pnpm(['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only', '--loglevel=error'])
  if (code !== 0) fail('The installation failed; the reason is above. Mend it and run the same command again.')
  writeFileSync(installStamp, wanted)
}

function build(always = false) {
  const wanted = digest(packageFolders().flatMap((folder) => [`${folder}/package.json`, ...files(join(root, folder, 'src'))]))
  if (!always && existsSync(buildStamp) && readFileSync(buildStamp, 'utf8') === wanted) return
  console.error('Building …')
  rmSync(buildStamp, { force: true })
  const code = pnpm(['run', 'build'], { quiet: true })
  if (code !== 0) fail('The build failed; the reason is above.')
  writeFileSync(buildStamp, wanted)
}

/** Runs pnpm through npx; where the checkout has a newer Node it comes first on the path. */
function pnpm(args, { quiet = false } = {}) {
  const result = spawnSync('npx', ['--yes', `pnpm@${pnpmVersion}`, ...args], {
    cwd: root,
    stdio: ['inherit', quiet ? 'pipe' : 'inherit', 'inherit'],
    maxBuffer: 1 << 28,
    shell: process.platform === 'win32',
  })
  if (quiet && result.status !== 0) process.stderr.write(result.stdout ?? '')
  return result.status ?? 1
}

function node(args) {
  return (
    spawnSync(
      process.execPath,
      args.map((arg, at) => (at === 0 ? join(root, arg) : arg)),
      { stdio: 'inherit' },
    ).status ?? 130
  )
}

function packageFolders() {
  return ['packages', 'examples']
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder))
        .sort()
        .map((name) => `${folder}/${name}`),
    )
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
}

function files(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name)
      return statSync(path).isDirectory() ? files(path) : [path.slice(root.length)]
    })
}

function digest(paths) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  for (const path of paths) hash.update(path).update(readFileSync(join(root, path)))
  return hash.digest('hex')
}

function exit(code) {
  process.exitCode = code
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
