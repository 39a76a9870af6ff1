import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import type { Transport, TransportError, TransportRequest } from '@sfstream/core'
import { fetchTransport, webPlatform } from '@sfstream/core/internal'
import { virtualClock } from '@sfstream/mock-org'
import { describe, expect, it, onTestFinished } from 'vitest'
import { httpTransport } from '../src/http-transport.ts'

const deadline = { headersMs: 30_000, idleMs: 30_000, totalMs: 600_000 }
const megabyte = 1024 * 1024

/** A server on loopback, and its sockets. */
async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void, host = '127.0.0.1') {
  const sockets: Socket[] = []
  const server: Server = createServer((request, response) => {
    request.resume()
    handler(request, response)
  })
  server.on('connection', (socket) => void sockets.push(socket))
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { server, sockets, port, url: new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}/cometd/66.0/`) }
}

/** A server that speaks bytes: each connection's first request is answered by hand. */
async function serveBytes(answer: (socket: Socket) => void): Promise<URL> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => answer(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

function transport(options: Parameters<typeof httpTransport>[0] = {}): Transport {
  const made = httpTransport(options)
  onTestFinished(() => made.close?.())
  return made
}

function post(over: Transport, url: URL, more: Partial<TransportRequest> = {}): ReturnType<Transport['exchange']> {
  return over.exchange({ url, headers: {}, body: '[]', deadline, signal: new AbortController().signal, ...more })
}

const errorOf = (work: Promise<unknown>): Promise<TransportError> =>
  work.then(
    (value) => expect.fail(`settled with ${inspect(value)}`),
    (error: TransportError) => error,
  )

describe('a request', () => {
  it('is one POST with the body and the headers given, and a reply is its status, headers and text', async () => {
    const seen: unknown[] = []
    const { url } = await serve((request, response) => {
      const { method, headers } = request
      seen.push({ method, url: request.url, headers })
      response.writeHead(503, { 'retry-after': '7', 'x-two': ['a', 'b'] }).end('schön 😀')
    })
    const body = '[{"channel":"/service/ü"}]'
    const reply = await post(transport(), new URL('?a=1', url), {
      body,
      headers: { authorization: 'Bearer x', accept: 'application/json' },
    })
    expect(reply).toMatchObject({ status: 503, text: 'schön 😀' })
    expect('cut' in reply).toBe(false)
    expect([reply.header('retry-after'), reply.header('x-two'), reply.header('x-none')]).toEqual(['7', 'a, b', undefined])
    expect(seen).toEqual([
      {
        method: 'POST',
        url: '/cometd/66.0/?a=1',
        headers: {
          host: url.host,
          'user-agent': 'sfstream',
          'accept-encoding': 'gzip, deflate, br',
          authorization: 'Bearer x',
          accept: 'application/json',
          'content-length': String(Buffer.byteLength(body)),
          connection: 'keep-alive',
        },
      },
    ])
  })

  it('goes over a kept connection, the next one too; close() ends it, and the transport serves again afterwards', async () => {
    const { url, sockets } = await serve((_, response) => response.end('[]'))
    const over = transport()
    for (let at = 0; at < 5; at++) await post(over, url)
    expect(sockets).toHaveLength(1)
    const closed = once(sockets[0] as Socket, 'close')
    await over.close?.()
    await closed
    expect((await post(over, url)).text).toBe('[]')
    expect(sockets).toHaveLength(2)
  })

  it('goes where its own URL says, whatever the last one was', async () => {
    const [one, two] = [await serve((_, response) => response.end('one')), await serve((_, response) => response.end('two'))]
    const over = transport()
    const texts: string[] = []
    for (const { url } of [one, two, one]) texts.push((await post(over, url)).text)
    expect(texts).toEqual(['one', 'two', 'one'])
  })

  it('is on the wire when flushed() says so, over a connection of an agent that stays its owner’s', async () => {
    const { url } = await serve((_, response) => response.end('[]'))
    const agent = new Agent({ keepAlive: true })
    onTestFinished(() => agent.destroy())
    const over = transport({ agent })
    await post(over, url)
    const [socket] = Object.values(agent.freeSockets).flat() as Socket[]
    const before = socket?.bytesWritten ?? 0
    const work = post(over, url)
    await over.flushed?.()
    expect(socket?.bytesWritten).toBeGreaterThan(before)
    await work
    await over.close?.()
    expect(socket?.destroyed).toBe(false)
  })

  it('beside a held one has a connection of its own, and at most four are open', async () => {
    const held: ServerResponse[] = []
    const { url, sockets } = await serve((_, response) => void held.push(response))
    const over = transport()
    const replies = Array.from({ length: 6 }, () => post(over, url))
    await expect.poll(() => held.length).toBe(4)
    for (let at = 0; at < 6; at++) {
      await expect.poll(() => held.length).toBeGreaterThan(at)
      held[at]?.end('[]')
    }
    expect(await Promise.all(replies)).toHaveLength(6)
    expect(sockets).toHaveLength(4)
  })

  it('reaches IPv6 addresses, and localhost whatever it is', async () => {
    const six = await serve((_, response) => response.end('six'), '::1')
    expect((await post(transport(), six.url)).text).toBe('six')
    const four = await serve((_, response) => response.end('four'))
    expect((await post(transport(), new URL(`http://localhost:${four.port}/`))).text).toBe('four')
  })

  it('with a header that HTTP cannot carry is a typed error that does not show it, and nothing is sent', async () => {
    const { url, sockets } = await serve((_, response) => response.end('[]'))
    for (const value of ['Bearer hunter2\r\nx: y', 'Bearer hunter2\u0000', 'Bearer hunter2 €']) {
      const error = await errorOf(post(transport(), url, { headers: { authorization: value } }))
      expect(error).toMatchObject({ name: 'TransportError', code: 'network' })
      expect(inspect(error, { depth: 20 })).not.toContain('hunter2')
    }
    expect(sockets).toEqual([])
  })

  it('is never redirected', async () => {
    const elsewhere = await serve((_, response) => response.end('[]'))
    const { url } = await serve((_, response) => response.writeHead(307, { location: elsewhere.url.href }).end())
    expect(await post(transport(), url)).toMatchObject({ status: 307 })
    expect(elsewhere.sockets).toEqual([])
  })
})

describe('cookies', () => {
  it('of failed replies count too; each transport has its own; reset() forgets them', async () => {
    const seen: unknown[] = []
    const { url } = await serve((request, response) => {
      seen.push(request.headers.cookie)
      response.writeHead(500, { 'set-cookie': [`a=${seen.length}; Path=/`, 'b=!x/y==; Path=/', 'c=1; Domain=elsewhere.example'] }).end()
    })
    const [one, two] = [transport(), transport()]
    for (const over of [one, one, two, two]) await post(over, url)
    one.reset?.()
    await post(one, url)
    expect(seen).toEqual([undefined, 'a=1; b=!x/y==', undefined, 'a=3; b=!x/y==', undefined])
  })

  it('go back byte by byte as they came', async () => {
    let second = ''
    const url = await serveBytes((socket) => {
      socket.once('data', (piece) => {
        second = piece.toString('latin1')
        socket.end('HTTP/1.1 200 OK\r\n\r\n')
      })
      socket.write(Buffer.from('HTTP/1.1 200 OK\r\nset-cookie: a=\xe9\xff\r\ncontent-length: 0\r\n\r\n', 'latin1'))
    })
    const over = transport()
    await post(over, url)
    await post(over, url, { body: '["ü"]' })
    expect(second).toContain('\r\ncookie: a=\xe9\xff\r\n')
    expect(Buffer.from(second, 'latin1').toString()).toMatch(/\["ü"\]$/)
  })
})

describe('a body', () => {
  const text = JSON.stringify(Array.from({ length: 2_000 }, (_, n) => ({ n, text: 'ü€😀' })))
  const bytes = Buffer.from(text)
  const coded: Record<string, [string, Buffer]> = {
    gzip: ['gzip', gzipSync(bytes)],
    'x-gzip': ['X-GZip', gzipSync(bytes)],
    'gzip in members': ['gzip', Buffer.concat([gzipSync(bytes.subarray(0, 99)), gzipSync(bytes.subarray(99))])],
    deflate: ['deflate', deflateSync(bytes)],
    'deflate without its header': ['deflate', deflateRawSync(bytes)],
    br: ['br', brotliCompressSync(bytes)],
    'two codings': ['deflate, gzip', gzipSync(deflateSync(bytes))],
    identity: ['identity', bytes],
  }

  it.each(Object.entries(coded))('%s is decoded, however it is cut into pieces', async (_, [encoding, content]) => {
    for (const size of [content.length, 1_000, 7]) {
      const { url } = await serve((_request, response) => {
        response.writeHead(200, { 'content-encoding': encoding })
        for (let at = 0; at < content.length; at += size) response.write(content.subarray(at, at + size))
        response.end()
      })
      const reply = await post(transport(), url)
      expect(reply.text === text).toBe(true)
      expect(reply.cut).toBeUndefined()
    }
  })

  it('with a coding that nobody knows is left as it is, and an empty one has no text', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/empty') response.writeHead(200, { 'content-encoding': 'gzip' }).end()
      else response.writeHead(200, { 'content-encoding': 'rot13' }).end('[]')
    })
    expect(await post(transport(), url)).toMatchObject({ text: '[]' })
    expect(await post(transport(), new URL('/empty', url))).toMatchObject({ text: '' })
  })

  it.each([
    ['damaged', (content: Buffer) => Buffer.concat([content.subarray(0, -20), Buffer.alloc(20, 7)])],
    ['cut off', (content: Buffer) => content.subarray(0, -20)],
  ])('that is %s inside its coding is broken, and what came before counts', async (_, spoil) => {
    const content = gzipSync(bytes, { level: 0 })
    const { url } = await serve((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(spoil(content)))
    const reply = await post(transport(), url)
    expect(reply).toMatchObject({ status: 200, cut: 'broken' })
    expect(reply.text.length).toBeGreaterThan(text.length / 2)
    expect(text.startsWith(reply.text.replace(/\uFFFD*$/, '').slice(0, -40))).toBe(true)
  })

  it('that breaks off inside its coding is broken, and what came before counts', async () => {
    const content = gzipSync(bytes, { level: 0 })
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': content.length })
      response.write(content.subarray(0, content.length / 2), () => setImmediate(() => response.socket?.end()))
    })
    const reply = await post(transport(), url)
    expect(reply.cut).toBe('broken')
    expect(reply.text.length).toBeGreaterThan(1_000)
  })

  it('that is a bomb is let go of after 64 MB, and so is a plain one without end', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * megabyte, ' '))
    const { url, sockets } = await serve((request, response) => {
      if (request.url === '/bomb') return void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
      const piece = Buffer.alloc(megabyte, ' ')
      const more = (): void => {
        while (response.writable && response.write(piece));
        response.once('drain', more)
      }
      more()
    })
    const over = transport()
    for (const path of ['/bomb', '/endless']) {
      const { cut, text: got } = await post(over, new URL(path, url))
      expect({ cut, mb: Math.floor(got.length / megabyte) }).toEqual({ cut: 'too_large', mb: 64 })
    }
    await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true)
  })

  it('in a hundred thousand pieces of one byte is joined, with characters cut anywhere', async () => {
    const pieces = Buffer.from('ü😀'.repeat(20_000))
    const url = await serveBytes((socket) => {
      const chunks = [...pieces].map((byte) => Buffer.from([0x31, 13, 10, byte, 13, 10]))
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
      socket.end(Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]))
    })
    const reply = await post(transport(), url)
    expect(reply.cut).toBeUndefined()
    expect(reply.text === pieces.toString()).toBe(true)
  })

  it.each([
    ['one byte order mark is left out', [0xef, 0xbb, 0xbf, 0x5b, 0x5d]],
    ['the second one stays', [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, 0x5b]],
    ['broken characters are replaced', [0x80, 0xc0, 0xaf, 0xe2, 0x82, 0xed, 0xa0, 0x80, 0xf0, 0x9f, 0x5b, 0xe2, 0x82]],
  ])('%s, as fetch has it', async (_, content) => {
    const { url } = await serve((_request, response) => response.end(Buffer.from(content)))
    const reply = await post(transport(), url)
    expect(reply.text).toBe((await post(fetchTransport(webPlatform()), url)).text)
    expect(reply.text).toBe(new TextDecoder().decode(new Uint8Array(content)))
  })

  it.each([
    ['ends before its content-length', 'content-length: 10\r\n\r\n[{}', 'broken'],
    ['ends inside a chunk', 'transfer-encoding: chunked\r\n\r\nA\r\n[{}', 'broken'],
    ['has no last chunk', 'transfer-encoding: chunked\r\n\r\n3\r\n[{}\r\n', 'broken'],
    ['has a chunk that is none', 'transfer-encoding: chunked\r\n\r\n3\r\n[{}\r\nzz\r\n', 'broken'],
    ['ends with its connection', 'connection: close\r\n\r\n[{}', undefined],
    ['has trailers', 'transfer-encoding: chunked\r\ntrailer: x\r\n\r\n3\r\n[{}\r\n0\r\nset-cookie: a=b\r\nx: y\r\n\r\n', undefined],
    ['is followed by more than it should', 'content-length: 3\r\n\r\n[{}HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n!', undefined],
  ])('that %s', async (_, raw, cut) => {
    const url = await serveBytes((socket) => socket.end(`HTTP/1.1 200 OK\r\n${raw}`))
    const reply = await post(transport(), url)
    expect({ text: reply.text, cut: reply.cut }).toEqual({ text: '[{}', cut })
  })
})

describe('what is no reply is a network error with the innermost reason', () => {
  it.each<[string, string, RegExp]>([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', /Expected HTTP/],
    ['nothing', '', /socket hang up/],
    ['half a head', 'HTTP/1.1 200 OK\r\nx: y', /socket hang up|Parse Error/],
    ['headers without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(200_000)}\r\n\r\n`, /Header overflow/i],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n[]', /Content-Length/i],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nsecret', /closed|hang up/],
  ])('%s', async (_, raw, reason) => {
    const url = await serveBytes((socket) => socket.end(raw))
    const error = await errorOf(post(transport(), url, { headers: { authorization: 'Bearer hunter2' } }))
    expect(error).toMatchObject({ name: 'TransportError', code: 'network', retryable: true, message: expect.stringMatching(reason) })
    expect(error.message).toContain(`${url.host} could not be reached`)
    expect(inspect(error, { depth: 20, maxStringLength: null })).not.toContain('hunter2')
    expect(error.cause).not.toHaveProperty('rawPacket')
  })

  it('a port where nobody listens, and a name that nobody knows', async () => {
    const { server, port } = await serve(() => {})
    await new Promise((resolve) => server.close(resolve))
    for (const host of ['127.0.0.1', 'localhost'])
      expect((await errorOf(post(transport(), new URL(`http://${host}:${port}/`)))).message).toContain('ECONNREFUSED')
    expect((await errorOf(post(transport(), new URL('http://nobody.invalid/')))).message).toMatch(/ENOTFOUND|EAI_AGAIN/)
  })

  it('1xx replies before the real one are passed over', async () => {
    const url = await serveBytes((socket) =>
      socket.end(
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nset-cookie: a=b\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]',
      ),
    )
    expect(await post(transport(), url)).toMatchObject({ status: 200, text: '[]' })
  })
})

describe('a kept connection', () => {
  it('that the server has closed meanwhile is not used', async () => {
    const { server, url, sockets } = await serve((_, response) => response.end('[]'))
    const over = transport()
    await post(over, url)
    server.closeIdleConnections()
    await once(sockets[0] as Socket, 'close')
    // The end of it reaches the client with the next turns of its loop.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    expect((await post(over, url)).text).toBe('[]')
    expect(sockets).toHaveLength(2)
  })

  it('that is reset under a request is an error, and nothing is sent a second time', async () => {
    const bodies: string[] = []
    const { url } = await serve((request, response) => {
      request.on('data', (piece) => bodies.push(String(piece)))
      request.on('end', () => (bodies.length === 1 ? response.end('[]') : response.socket?.resetAndDestroy()))
    })
    const over = transport()
    await post(over, url, { body: '[1]' })
    expect(await errorOf(post(over, url, { body: '[2]' }))).toMatchObject({ code: 'network', retryable: true })
    expect(bodies).toEqual(['[1]', '[2]'])
  })
})

describe('a kept connection that is lost, because the server ends it after a reply without a word', () => {
  const lossesOf = async (over: Transport, url: URL, requests: number): Promise<number[]> => {
    const lost: number[] = []
    for (let at = 0; at < requests; at++) await post(over, url).catch(() => void lost.push(at))
    return lost
  }

  it('costs one request; then connections are used once for a while, longer each time', async () => {
    const { url, sockets } = await serve((_, response) => {
      const { socket } = response
      response.end('[]')
      socket?.end()
    })
    const lost = await lossesOf(transport(), url, 300)
    expect(lost.length).toBeGreaterThan(1)
    expect(lost.length).toBeLessThanOrEqual(5)
    expect(lost[0]).toBeLessThan(5)
    expect((lost[1] as number) - (lost[0] as number)).toBeGreaterThan(16)
    expect(sockets.length).toBeLessThanOrEqual(300)
  })

  it('is kept again afterwards, where the server does so too', async () => {
    let isBad = true
    const { url, sockets } = await serve((_, response) => {
      const { socket } = response
      response.end('[]')
      if (isBad) socket?.end()
    })
    const over = transport()
    for (let lost = 0; lost === 0; ) lost = (await lossesOf(over, url, 1)).length
    isBad = false
    const before = sockets.length
    expect(await lossesOf(over, url, 60)).toEqual([])
    expect(sockets.length - before).toBe(17)
  })
})

describe('an idle connection', () => {
  const announced = { 'keep-alive': 'timeout=2' }

  it('is closed, before a server does that has announced it', async () => {
    const { server, url, sockets } = await serve((_, response) => response.writeHead(200, announced).end('[]'))
    server.keepAliveTimeout = 60_000
    const over = transport()
    await post(over, url)
    await once(sockets[0] as Socket, 'end')
    expect((await post(over, url)).text).toBe('[]')
    expect(sockets).toHaveLength(2)
  })

  it('is idle no more when it is used: a poll is held over it for longer, and what watches it does not add up', async () => {
    const warnings: Error[] = []
    const warned = (warning: Error): void => void warnings.push(warning)
    process.on('warning', warned)
    onTestFinished(() => void process.off('warning', warned))
    const { url, sockets } = await serve((request, response) => {
      const answer = (): void => void response.writeHead(200, announced).end('[]')
      if (request.url === '/held') setTimeout(answer, 2_500)
      else answer()
    })
    const over = transport()
    for (let at = 0; at < 20; at++) await post(over, url)
    expect((await post(over, new URL('/held', url))).text).toBe('[]')
    expect(sockets).toHaveLength(1)
    expect(warnings).toEqual([])
  })
})

describe('an abort settles at once with its own reason, and destroys the connection', () => {
  it('before it begins: nothing is sent', async () => {
    const { url, sockets } = await serve((_, response) => response.end('[]'))
    const reason = { any: 'reason' }
    expect(await errorOf(post(transport(), url, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(sockets).toEqual([])
  })

  it('in the turn of the request, while it connects, while it waits for headers, amid the body', async () => {
    const waiting: IncomingMessage[] = []
    const { url, sockets } = await serve((request, response) => {
      waiting.push(request)
      if (request.url === '/body') response.writeHead(200, { 'content-length': 100 }).write('[')
    })
    const over = transport()
    const steps: (() => Promise<unknown>)[] = [
      () => Promise.resolve(),
      () => new Promise<void>((resolve) => process.nextTick(resolve)),
      () => expect.poll(() => waiting.length).toBe(1),
      () => new Promise((resolve) => setTimeout(resolve, 50)),
    ]
    for (const [at, step] of steps.entries()) {
      waiting.length = 0
      const controller = new AbortController()
      const reason = new Error(`step ${at}`)
      let settled: unknown
      const work = post(over, new URL(at === 3 ? '/body' : '/', url), { signal: controller.signal }).catch((error: unknown) => {
        settled = error
      })
      await step()
      controller.abort(reason)
      await Promise.resolve()
      await Promise.resolve()
      expect(settled, `step ${at}`).toBe(reason)
      await work
    }
    await over.close?.()
    await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true)
  })

  it('amid a body that is being decoded', async () => {
    const { url, sockets } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).write(gzipSync(Buffer.alloc(megabyte, 'x')).subarray(0, 500))
    })
    const controller = new AbortController()
    const work = post(transport(), url, { signal: controller.signal })
    await expect.poll(() => sockets.length).toBe(1)
    controller.abort('enough')
    await expect(work).rejects.toBe('enough')
    await expect.poll(() => sockets[0]?.destroyed).toBe(true)
  })
})

describe('deadlines, by the clock of the platform [PROTOCOL T1]', () => {
  async function waiting(answer: (response: ServerResponse) => void) {
    const clock = virtualClock()
    const served = await serve((_, response) => answer(response))
    const over = transport({ platform: clock })
    const work = post(over, served.url)
    const outcome = work.catch((error: unknown) => error)
    await expect.poll(() => served.sockets.length).toBe(1)
    return { clock, outcome, ...served }
  }

  it('headers within theirs, else a timeout', async () => {
    const { clock, outcome, sockets } = await waiting(() => {})
    await clock.advance(29_000)
    expect(clock.pending).toBe(1)
    await clock.advance(1_000)
    expect(await outcome).toMatchObject({ code: 'timeout', message: 'The org did not answer: no answer within 30000 ms.' })
    expect(clock.pending).toBe(0)
    await expect.poll(() => sockets[0]?.destroyed).toBe(true)
  })

  it('a body that stands still is cut, and what came of it counts', async () => {
    let written = false
    const { clock, outcome, sockets } = await waiting((response) => response.write('[1', () => (written = true)))
    await expect.poll(() => written).toBe(true)
    await expect.poll(() => sockets[0]?.bytesWritten).toBeGreaterThan(0)
    // Nothing tells that the piece has been read: by now it has.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(45_000)
    expect(await outcome).toMatchObject({ status: 200, text: '[1', cut: 'timeout' })
    expect(clock.pending).toBe(0)
  })

  it('a machine that slept gives the request up', async () => {
    const { clock, outcome } = await waiting(() => {})
    const jump = clock.now
    const over = transport({ platform: { ...clock, now: () => jump() + skipped } })
    let skipped = 0
    const { url } = await serve(() => {})
    const work = post(over, url).catch((error: unknown) => error)
    skipped = 3_600_000
    await clock.advance(15_000)
    expect(await work).toMatchObject({ code: 'timeout', message: expect.stringContaining('asleep') })
    await clock.advance(30_000)
    await outcome
  })
})
