import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

const channel = '/event/Order_Event__e'
const deno = fileURLToPath(new URL('../../node_modules/deno-bin/bin.cjs', import.meta.url))
const script = fileURLToPath(new URL('../../../../examples/deno-script/main.ts', import.meta.url))
/** Deno KV lives in here, so that two runs share it and nothing else does. */
const home = mkdtempSync(join(tmpdir(), 'sfstream-deno-'))
let server: MockOrgServer

beforeAll(async () => {
  server = await startMockOrgServer()
})
afterAll(async () => {
  await server.close()
  rmSync(home, { recursive: true })
})

interface Run {
  out: string
  readonly ended: Promise<number | null>
  interrupt(): void
}

function run(args: readonly string[], env: Record<string, string> = {}): Run {
  const flags = ['--unstable-kv', '--allow-env', `--allow-net=${new URL(server.url).host}`, '--no-prompt', '--node-modules-dir=manual']
  // The launcher passes no signals on, and a process group of its own takes them instead.
  const child = spawn(process.execPath, [deno, 'run', ...flags, script, ...args], {
    env: { ...process.env, DENO_DIR: home, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const it: Run = {
    out: '',
    ended: new Promise((resolve) => child.once('close', resolve)),
    interrupt: () => void process.kill(-child.pid!, 'SIGINT'),
  }
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      it.out += text
    })
  return it
}

const until = (condition: () => unknown): Promise<unknown> => vi.waitUntil(condition, { timeout: 30_000, interval: 10 })

test('prints events, and goes on where it was after Ctrl-C', async () => {
  const { clientId, clientSecret } = server.org.credentials
  const env = { SF_LOGIN_URL: server.url, SF_CLIENT_ID: clientId, SF_CLIENT_SECRET: clientSecret }
  const first = run([channel], env)
  await until(() => server.org.inspect.subscriptions[channel] === 1)
  server.org.publish(channel, { Number__c: 1 })
  server.org.publish(channel, { Number__c: 2 })
  await until(() => first.out.includes('"Number__c":2'))
  first.interrupt()
  await first.ended
  expect(server.org.inspect.slots.used).toBe(0)
  server.org.publish(channel, { Number__c: 3 })
  const second = run([channel], env)
  await until(() => second.out.includes('"Number__c":3'))
  expect(second.out).not.toContain('"Number__c":1')
  second.interrupt()
  await second.ended
})

test('without its settings it says what to set', async () => {
  const it = run([], { SF_LOGIN_URL: '', SF_CLIENT_ID: '', SF_CLIENT_SECRET: '' })
  expect(await it.ended).toBe(2)
  expect(it.out).toContain('Usage: SF_LOGIN_URL=')
})
