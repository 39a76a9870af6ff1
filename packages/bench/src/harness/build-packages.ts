import { spawnSync } from 'node:child_process'

/** What is measured is what is built. @throws Error with what the build said */
export function buildPackages(): void {
  console.error('Building …')
  const { status, stdout, stderr } = spawnSync('pnpm', ['run', 'build'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`The build failed:\n${stdout}${stderr}`)
}
