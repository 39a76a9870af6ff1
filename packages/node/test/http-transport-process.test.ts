import { createServer as createPlainServer } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { startMockOrgServer } from '@sfstream/mock-org/node'
import { describe, expect, it, onTestFinished } from 'vitest'
import { httpTransport } from '../src/http-transport.ts'
import { hasOpenssl, selfSigned } from './support/certificate.ts'
import { ended, listen, runSource } from './support/child.ts'

const program = new URL('support/leaving.ts', import.meta.url)

async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: unknown; out: string; errors: string }> {
  const child = runSource(program, args, { ...process.env, ...env })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [out, errors] = [listen(child.stdout), listen(child.stderr)]
  return { code: await ended(child), out: out.text.trim(), errors: errors.text }
}

describe('a process', () => {
  // The server keeps connections for an hour: nobody but the client ends them.
  it.each(['stop', 'break'])('ends by itself after stop(), with no socket and no timer left: %s', async (mode) => {
    const server = await startMockOrgServer({ channels: ['/event/Order__e'] })
    onTestFinished(() => server.close())
    const { accessToken, instanceUrl } = server.org.session()
    if (mode === 'break') {
      const publish = setInterval(() => server.org.publish('/event/Order__e', { Number__c: 1 }), 20)
      onTestFinished(() => clearInterval(publish))
    }
    expect(await run([mode, instanceUrl, accessToken])).toMatchObject({ code: 0, out: 'left:' })
  })
})

describe('what was read', () => {
  it('is gone with the next collection of what is young: a full one would stop the program for longer', async () => {
    const body = Buffer.alloc(400_000, 'x')
    const server = createPlainServer((request, response) => request.resume().on('end', () => response.end(body)))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const child = runSource(new URL('support/reading.ts', import.meta.url), [`http://127.0.0.1:${port}/`, '20'])
    const [out, errors] = [listen(child.stdout), listen(child.stderr)]
    expect({ code: await ended(child), errors: errors.text }).toEqual({ code: 0, errors: '' })
    expect(Number(out.text)).toBeLessThan(2 * body.length)
  })
})

describe.skipIf(!hasOpenssl())('TLS (needs openssl to make a certificate)', () => {
  async function secureServer() {
    const certificate = selfSigned()
    const cookies: unknown[] = []
    const server = createServer({ ...certificate, keepAliveTimeout: 3_600_000 }, (request, response) => {
      cookies.push(request.headers.cookie)
      request.resume().on('end', () => response.writeHead(200, { 'set-cookie': 'a=1; Secure; Path=/' }).end('[]'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      certificate.remove()
      server.closeAllConnections()
      server.close()
    })
    return { certificate, cookies, server, url: new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`) }
  }
  const deadline = { headersMs: 30_000, idleMs: 30_000, totalMs: 600_000 }
  const request = (url: URL) => ({ url, headers: {}, body: '[]', deadline, signal: new AbortController().signal })

  it('an unknown authority is refused, and one that is given is trusted, for its own names', async () => {
    const { certificate, cookies, url } = await secureServer()
    await expect(httpTransport().exchange(request(url))).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('self-signed certificate'),
    })
    const over = httpTransport({ tls: { ca: certificate.cert } })
    onTestFinished(() => over.close?.())
    for (const _ of [1, 2]) expect(await over.exchange(request(url))).toMatchObject({ status: 200, text: '[]' })
    expect(cookies).toEqual([undefined, 'a=1'])
    const wrong = httpTransport({ tls: { ca: certificate.cert, servername: 'acme.example' } })
    await expect(wrong.exchange(request(url))).rejects.toMatchObject({ code: 'network', message: expect.stringContaining('altnames') })
  })

  it('NODE_EXTRA_CA_CERTS is obeyed, and an idle connection keeps no process', async () => {
    const { certificate, url } = await secureServer()
    expect(await run(['post', url.href])).toMatchObject({ code: 0, out: expect.stringContaining('self-signed certificate') })
    expect(await run(['post', url.href], { NODE_EXTRA_CA_CERTS: certificate.path })).toMatchObject({ code: 0, out: '200 []' })
  })
})
