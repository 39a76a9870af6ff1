import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startMockOrgServer } from '@sfstream/mock-org/node'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startProxy, type TestProxy } from '../../../node/test/support/proxy.ts'
import { type RuntimeProcess, startBun } from '../runtimes/runtime-process.ts'

/** Other proxies that this machine may have are none of the tests' business. */
const noProxies = { HTTP_PROXY: '', HTTPS_PROXY: '', NO_PROXY: '', http_proxy: '', https_proxy: '', no_proxy: '' }

const run = (what: 'client' | 'fetch', settings: object, env: Record<string, string> = {}): RuntimeProcess => {
  const process = startBun('bun/programs/proxied.mjs', [what, JSON.stringify(settings)], { env: { ...noProxies, ...env } })
  onTestFinished(async () => {
    process.kill('SIGKILL')
    await process.ended
  })
  return process
}
async function proxyTo(options: Parameters<typeof startProxy>[0]): Promise<TestProxy> {
  const proxy = await startProxy(options)
  onTestFinished(() => proxy.close())
  return proxy
}
async function echo(): Promise<{ host: string; port: number }> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end(`${request.method} ${request.url}`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return { host: `127.0.0.1:${port}`, port }
}

async function org() {
  const server = await startMockOrgServer()
  onTestFinished(() => server.close())
  const channel = '/event/Order_Event__e'
  for (const number of [1, 2]) server.org.publish(channel, { Number__c: number })
  const { clientId, clientSecret } = server.org.credentials
  return { server, channel, login: { loginUrl: server.url, clientId, clientSecret } }
}

test('Bun: the proxy option carries the login and the streaming, all of it, with its credentials', async () => {
  const { server, channel, login } = await org()
  const proxy = await proxyTo({ credentials: 'user:p@ss' })
  const client = run('client', { login, channel, proxy: proxy.url.replace('//', '//user:p%40ss@') })
  expect(await client.ended, client.out).toBe(0)
  expect(client.out).toMatch(/event 1\n(?:.*\n)*event 2\n/)
  expect(proxy.lines).toHaveLength(server.org.inspect.requests.length)
  expect(proxy.lines.length).toBeGreaterThan(4)
})

test('Bun: a proxy that refuses its credentials is tried again, and they are printed nowhere', async () => {
  const { server, channel, login } = await org()
  const proxy = await proxyTo({ credentials: 'someone:else' })
  const client = run('client', { login, channel, proxy: proxy.url.replace('//', '//user:hunter2-secret@') })
  await vi.waitUntil(() => /status .*"retry"/.test(client.out), { timeout: 20_000, interval: 10 })
  expect(client.out).not.toContain('hunter2-secret')
  expect(client.out).not.toContain(Buffer.from('user:hunter2-secret').toString('base64'))
  expect(server.org.inspect.requests).toEqual([])
})

test('Bun: proxies of the environment serve other hosts, and leave loopback and NO_PROXY alone', async () => {
  const { host, port } = await echo()
  const proxy = await proxyTo({ route: port })
  const urls = [
    `http://${host}/1`,
    `http://localhost:${port}/2`,
    'http://acme.example/3',
    'http://acme.example:81/4',
    'http://mock.in.example/5',
  ]
  const asked = run('fetch', { urls }, { HTTP_PROXY: proxy.url, NO_PROXY: '.in.example, acme.example:81' })
  await asked.ended
  expect(proxy.lines).toEqual(['POST http://acme.example/3'])
  expect(asked.out).toContain('acme.example/3 200 POST /3\n')
  expect(asked.out).toContain('/1 200 POST /1\n')
  expect(asked.out).toContain('/2 200 POST /2\n')
  expect(asked.out).toContain('/4 failed')
  expect(asked.out).toContain('/5 failed')
})

test('Bun: https goes through HTTPS_PROXY, else HTTP_PROXY, in a tunnel', async () => {
  const proxy = await proxyTo({ credentials: 'nobody:enters' })
  const urls = ['https://acme.example/']
  for (const env of [{ HTTPS_PROXY: proxy.url, HTTP_PROXY: 'http://127.0.0.1:1' }, { https_proxy: proxy.url }, { HTTP_PROXY: proxy.url }]) {
    const asked = run('fetch', { urls }, env as unknown as Record<string, string>)
    await asked.ended
    expect(asked.out).toContain('acme.example/ failed')
  }
  expect(proxy.lines).toEqual(Array(3).fill('CONNECT acme.example:443'))
})

test.each([
  ['the option false', { proxy: false }, {}],
  ['NO_PROXY=*', {}, { NO_PROXY: '*' }],
])('Bun: %s: none, though its own fetch would take those of the environment', async (_, settings, env) => {
  const { host, port } = await echo()
  const proxy = await proxyTo({ route: port })
  const asked = run('fetch', { ...settings, urls: [`http://${host}/1`] }, { HTTP_PROXY: proxy.url, ...env })
  await asked.ended
  expect(asked.out).toContain('/1 200 POST /1\n')
  expect(proxy.lines).toEqual([])
})
