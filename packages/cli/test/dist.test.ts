import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { channel, lines, stage } from './support.ts'

const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
const run = promisify(execFile)

// `npm test` builds first.
describe.skipIf(!existsSync(bin))('the built command', () => {
  it('says its version', async () => {
    expect((await run(process.execPath, [bin, '--version'])).stdout).toBe(`${manifest.version}\n`)
  })

  it('follows a channel', async () => {
    const org = await stage()
    try {
      org.org.publish(channel, { Number__c: 1 })
      org.org.publish(channel, { Number__c: 2 })
      const args = [bin, 'tail', channel, '--replay', 'all', '--limit', '2', '--json', '--store', org.store]
      const { stdout, stderr } = await run(process.execPath, args, { env: org.env })
      expect(lines(stdout)).toHaveLength(2)
      expect(stderr).toBe('')
    } finally {
      await org.leave()
    }
  })
})
