import { execFile, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/**
 * The README's code blocks as a reader would run them: type-checked, then run against the simulated org with what is
 * built, on the oldest Node and on this one.
 */

const here = fileURLToPath(new URL('..', import.meta.url))
const root = join(here, '../..')
/** Inside a package that has everything installed, so that imports resolve as they do for a user. */
const folder = join(here, '.cache/readme')
const oldestNode = join(here, 'node_modules/node20/bin/node')

interface Block {
  name: string
  path: string
}

const blocks: Block[] = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```js\n([\s\S]*?)^```/gm)].map(([, code = ''], at) => {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `block-${at + 1}.mjs`)
  writeFileSync(path, code)
  return { name: `block ${at + 1}: ${code.split('\n').find((line) => line.includes('const client'))}`, path }
})

let server: MockOrgServer
beforeAll(async () => {
  server = await startMockOrgServer({ channels: ['/event/Order__e', '/u/notifications'] })
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

test('there are blocks to run, and they pass the type check', { timeout: 60_000 }, async () => {
  expect(blocks).toHaveLength(3)
  const config = join(folder, 'tsconfig.json')
  const paths = { '@sfstream/*': ['../../../*/dist/index.d.ts'] }
  const compilerOptions = { allowJs: true, checkJs: true, paths }
  const include = readdirSync(folder).filter((name) => name.endsWith('.mjs'))
  writeFileSync(config, JSON.stringify({ extends: relative(folder, join(root, 'tsconfig.json')), compilerOptions, include }))
  await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/lib/tsc.js'), '-p', config]).catch(({ stdout }) =>
    expect.fail(String(stdout)),
  )
})

describe.each([
  ['the oldest Node', oldestNode],
  ['this Node', process.execPath],
])('on %s', (_, node) => {
  test.each(blocks)('$name', { timeout: 30_000 }, async ({ path }) => {
    const session = server.org.session()
    const cwd = join(folder, `run-${Math.random()}`)
    mkdirSync(cwd)
    const child = spawn(node, [path], {
      cwd,
      env: {
        ...process.env,
        SF_LOGIN_URL: server.url,
        SF_CLIENT_ID: server.org.credentials.clientId,
        SF_CLIENT_SECRET: server.org.credentials.clientSecret,
        SF_INSTANCE_URL: session.instanceUrl,
        SF_ACCESS_TOKEN: session.accessToken,
      },
    })
    let output = ''
    const endless = path.endsWith('block-1.mjs')
    const publish = setInterval(() => {
      for (const channel of ['/event/Order__e', '/data/AccountChangeEvent', '/u/notifications']) server.org.publishSample(channel)
    }, 50)
    child.stdout.on('data', (data) => {
      output += data
      // The first example goes on for ever; one event is enough.
      if (endless && output.includes('\n')) child.kill()
    })
    child.stderr.on('data', (data) => {
      output += data
    })
    const code = await new Promise((resolve) => child.on('exit', (exit, signal) => resolve(exit ?? signal)))
    clearInterval(publish)
    expect({ code, output }).toEqual({
      code: endless ? 'SIGTERM' : 0,
      output: expect.stringMatching(/\{|Payload|payload|__c|sample|status/i),
    })
    expect(output).not.toContain('Error')
  })
})
