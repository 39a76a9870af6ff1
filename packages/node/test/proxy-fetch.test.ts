import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { StateError } from '@sfstream/core'
import { fetchTransport, webPlatform } from '@sfstream/core/internal'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { proxyFetch } from '../src/proxy-fetch.ts'
import { startProxy, startSilentProxy, type TestProxy } from './support/proxy.ts'

const server = createServer((request, response) => {
  let body = ''
  request.on('data', (piece) => {
    body += piece
  })
  request.on('end', () => response.end(`${request.method} ${request.url} ${body}`))
})
let port: number
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

let proxy: TestProxy | undefined
afterEach(async () => {
  await proxy?.close()
  proxy = undefined
})

describe('from the environment', () => {
  it('requests to other hosts go through, with their body', async () => {
    proxy = await startProxy({ route: port })
    const through = proxyFetch({ env: { HTTP_PROXY: proxy.url } })
    const response = await through!('http://acme.example/path', { method: 'POST', body: 'text' })
    expect(await response.text()).toBe('POST /path text')
    expect(proxy.lines).toEqual(['CONNECT acme.example:80'])
  })

  it('https goes through HTTPS_PROXY, else HTTP_PROXY', async () => {
    proxy = await startProxy({ credentials: 'nobody:enters' })
    const dead = 'http://127.0.0.1:1'
    for (const env of [{ HTTPS_PROXY: proxy.url, HTTP_PROXY: dead }, { https_proxy: proxy.url }, { HTTP_PROXY: proxy.url }])
      await expect(proxyFetch({ env })!('https://acme.example/')).rejects.toThrow()
    expect(proxy.lines).toEqual(Array(3).fill('CONNECT acme.example:443'))
  })

  it('loopback and NO_PROXY hosts do not', async () => {
    proxy = await startProxy({ route: port })
    const through = proxyFetch({ env: { http_proxy: proxy.url, no_proxy: `.internal.example,localhost:${port}` } })!
    expect(await (await through(`http://127.0.0.1:${port}/direct`)).text()).toBe('GET /direct ')
    expect(proxy.lines).toEqual([])
    await expect(through('http://mock.internal.example/')).rejects.toThrow()
    expect(proxy.lines).toEqual([])
    await through('http://other.example/')
    expect(proxy.lines).toHaveLength(1)
  })

  it.each([
    ['nothing set', {}],
    ['empty values', { HTTPS_PROXY: '', HTTP_PROXY: '' }],
    ['NO_PROXY=*', { HTTPS_PROXY: 'http://proxy.example', NO_PROXY: '*' }],
  ])('%s: none', (_, env) => {
    expect(proxyFetch({ env })).toBeUndefined()
  })

  it('proxy: false turns it off', () => {
    expect(proxyFetch({ proxy: false, env: { HTTPS_PROXY: 'http://proxy.example' } })).toBeUndefined()
  })
})

describe('given by hand', () => {
  it('goes before the environment, and takes loopback too', async () => {
    proxy = await startProxy()
    const through = proxyFetch({ proxy: new URL(proxy.url), env: { HTTP_PROXY: 'http://127.0.0.1:1', NO_PROXY: '*' } })!
    expect(await (await through(`http://127.0.0.1:${port}/x`)).text()).toBe('GET /x ')
    expect(proxy.lines).toEqual([`CONNECT 127.0.0.1:${port}`])
  })

  it.each([
    ['user:p%40ss', 'user:p@ss'],
    ['user', 'user:'],
  ])('sends the credentials of %s', async (written, credentials) => {
    proxy = await startProxy({ credentials })
    const through = proxyFetch({ proxy: proxy.url.replace('//', `//${written}@`) })!
    expect((await through(`http://127.0.0.1:${port}/x`)).status).toBe(200)
  })

  it('obeys abort while connecting', async () => {
    proxy = await startProxy()
    const controller = new AbortController()
    const going = proxyFetch({ proxy: proxy.url })!(`http://127.0.0.1:${port}/x`, { signal: controller.signal })
    controller.abort(new Error('mine'))
    await expect(going).rejects.toThrow()
  })
})

describe('a proxy that takes connections and says nothing', () => {
  it.each(['environment', 'option'])('has no tunnel left to make once nobody waits for one any more (%s)', async (from) => {
    const silent = await startSilentProxy()
    const through = proxyFetch(from === 'option' ? { proxy: silent.url } : { env: { HTTPS_PROXY: silent.url } })!
    for (let round = 1; round <= 3; round++) {
      const [first, second] = [new AbortController(), new AbortController()]
      const going = [first, second].map(({ signal }) => through('https://acme.example/', { signal }).catch((error: unknown) => error))
      await silent.until(() => silent.tunnels.length === 2 * round)
      first.abort(new Error('mine'))
      expect(await going[0]).toMatchObject({ message: 'mine' })
      expect(silent.tunnels.slice(-2).map(({ closed }) => closed)).toEqual([false, false])
      second.abort(new Error('mine'))
      await Promise.all(going)
      await silent.until(() => silent.tunnels.every(({ closed }) => closed))
    }
    await silent.close()
  })
})

describe('a proxy whose tunnels lead nowhere', () => {
  it('has none left once nobody waits for what TLS says at its other end', async () => {
    const silent = await startSilentProxy({ opens: true })
    const controller = new AbortController()
    const going = proxyFetch({ proxy: silent.url })!('https://acme.example/', { signal: controller.signal }).catch(
      (error: unknown) => error,
    )
    const isBegun = (): boolean => silent.tunnels.some(({ bytesRead }) => bytesRead > 200)
    await silent.until(isBegun)
    const abortedAt = Date.now()
    controller.abort(new Error('mine'))
    expect(await going).toMatchObject({ message: 'mine' })
    await silent.until(() => silent.tunnels.every(({ closed }) => closed))
    // By undici it would be after ten.
    expect(Date.now() - abortedAt).toBeLessThan(5_000)
    await silent.close()
  })
})

describe('a proxy that refuses', () => {
  it('is told with its status', async () => {
    proxy = await startProxy({ credentials: 'someone:else' })
    const through = proxyFetch({ proxy: proxy.url })!
    const exchange = fetchTransport({ ...webPlatform(), fetch: through }).exchange({
      url: new URL('https://acme.example/'),
      headers: {},
      body: '[]',
      signal: new AbortController().signal,
      deadline: { headersMs: 30_000, idleMs: 30_000, totalMs: 600_000 },
    })
    await expect(exchange).rejects.toMatchObject({ code: 'network', message: expect.stringContaining('(407)') })
  })
})

describe('never prints credentials', () => {
  const secret = 'hunter2-secret'

  it('when the proxy refuses them, or is not there', async () => {
    proxy = await startProxy({ credentials: 'someone:else' })
    for (const origin of [proxy.url, 'http://127.0.0.1:1']) {
      for (const target of ['http://acme.example/', 'https://acme.example/']) {
        const error = await proxyFetch({ proxy: origin.replace('//', `//user:${secret}@`) })!(target).catch((reason: unknown) => reason)
        expect(error).toBeInstanceOf(Error)
        const printed = inspect(error, { depth: 20 })
        expect(printed).not.toContain(secret)
        expect(printed).not.toContain(Buffer.from(`user:${secret}`).toString('base64'))
      }
    }
  })

  it.each([
    [`socks5://user:${secret}@proxy.example`, 'names a socks5 proxy'],
    [`http://user:${secret}@`, 'is not a URL'],
    [`http://user:%E0%A4%A${secret}@proxy.example`, 'is not a URL'],
  ])('when the URL is no good (%#)', (url, reason) => {
    for (const make of [() => proxyFetch({ proxy: url }), () => proxyFetch({ env: { HTTPS_PROXY: url } })]) {
      let error: unknown
      try {
        make()
      } catch (thrown) {
        error = thrown
      }
      expect(error).toBeInstanceOf(StateError)
      expect(error).toMatchObject({ code: 'bad_option', message: expect.stringContaining(reason) })
      expect(inspect(error)).not.toContain(secret)
    }
  })
})
