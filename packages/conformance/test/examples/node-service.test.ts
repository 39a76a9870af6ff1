import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

const channel = '/event/Order_Event__e'
const script = fileURLToPath(new URL('../../../../examples/node-service/main.mjs', import.meta.url))
const oldestNode = fileURLToPath(new URL('../../node_modules/node20/bin/node', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sfstream-service-'))
let server: MockOrgServer
let out = ''
const services: ChildProcess[] = []
let published = 0

beforeAll(async () => {
  server = await startMockOrgServer()
})
afterAll(async () => {
  // A failed test leaves its service behind.
  for (const child of services) child.kill('SIGKILL')
  await server.close()
  rmSync(folder, { recursive: true })
})

function start(): ChildProcess {
  const { clientId, clientSecret } = server.org.credentials
  const settings = { SF_LOGIN_URL: server.url, SF_CLIENT_ID: clientId, SF_CLIENT_SECRET: clientSecret, SF_CHANNEL: channel }
  const env = { ...process.env, ...settings, POSITIONS: folder, PORT: '0' }
  const child = spawn(oldestNode, [script], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
  services.push(child)
  child.stdout!.on('data', (text) => {
    out += text
  })
  return child
}
const publish = (count: number): void => {
  for (let each = 0; each < count; each++) server.org.publish(channel, { Number__c: ++published })
}
const handled = (): number[] => [...out.matchAll(/^event .*"Number__c":(\d+)/gm)].map(([, number]) => Number(number))
const until = (condition: () => unknown): Promise<unknown> => vi.waitUntil(condition, { timeout: 20_000, interval: 10 })

test('killed, or told to stop, and started again while events are published: lost 0, in order', async () => {
  let service = start()
  await until(() => server.org.inspect.subscriptions[channel] === 1)
  publish(5)
  await until(() => handled().includes(5))
  const [, url = ''] = /health: (\S+)/.exec(out) ?? []
  const health = await fetch(url)
  expect(health.status).toBe(200)
  expect(await health.json()).toMatchObject({ state: 'live', delivered: 5 })

  service.kill('SIGKILL')
  await once(service, 'close')
  publish(20)
  service = start()
  await until(() => handled().includes(25))
  service.kill('SIGTERM')
  expect((await once(service, 'close'))[0]).toBe(0)
  expect(out.trimEnd().endsWith('stopped')).toBe(true)
  const before = handled().length
  publish(5)
  service = start()
  await until(() => handled().includes(30))
  // After a stop that was asked for nothing comes twice.
  expect(handled().slice(before)).toEqual([26, 27, 28, 29, 30])
  expect([...new Set(handled())]).toEqual(Array.from({ length: 30 }, (_, at) => at + 1))
  service.kill('SIGTERM')
  await once(service, 'close')
})
