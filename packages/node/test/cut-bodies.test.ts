import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, constants, mkdtempSync, open, openSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, constants as codes, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib'
import type { TransportResponse } from '@sfstream/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { httpTransport } from '../src/http-transport.ts'

const deadline = { headersMs: 30_000, idleMs: 30_000, totalMs: 600_000 }
const plain = Array.from({ length: 2_000 }, () => randomBytes(300).toString('base64')).join()
const whole = { finishFlush: codes.Z_SYNC_FLUSH }
/** How each is made, and what a decoder can make of a piece of it. */
const codings: [string, Buffer, (content: Buffer) => Buffer][] = [
  ['gzip', gzipSync(plain), (content) => gunzipSync(content, whole)],
  ['gzip', gzipSync(plain, { level: 0 }), (content) => gunzipSync(content, whole)],
  ['gzip', gzipSync('short'.repeat(50)), (content) => gunzipSync(content, whole)],
  ['deflate', deflateSync(plain), (content) => inflateSync(content, whole)],
  ['br', brotliCompressSync(plain), (content) => brotliDecompressSync(content, { finishFlush: codes.BROTLI_OPERATION_FLUSH })],
]

/** The reply of a server that speaks bytes. */
async function replyOf(answer: (socket: Socket) => void): Promise<TransportResponse> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => answer(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const over = httpTransport()
  onTestFinished(() => over.close?.())
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  return over.exchange({ url, headers: {}, body: '[]', deadline, signal: new AbortController().signal })
}

const head = (coding: string, framing: string): string => `HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\n${framing}\r\n\r\n`

describe('of a coded body that breaks off', () => {
  it.each(codings)('all that had arrived is decoded: %s %#', async (coding, content, decoded) => {
    for (const part of [0.1, 0.5, 0.75, 0.99]) {
      const piece = content.subarray(0, Math.floor(content.length * part))
      const { cut, text } = await replyOf((socket) => {
        socket.write(head(coding, `content-length: ${content.length}`))
        socket.end(piece)
      })
      expect(cut).toBe('broken')
      expect(text === decoded(piece).toString(), `${text.length} characters at ${part}`).toBe(true)
    }
  })

  it('also where the packet that breaks it is the first one', async () => {
    const content = gzipSync(plain).subarray(0, 1_000)
    const { cut, text } = await replyOf((socket) => {
      const chunk = Buffer.concat([Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from('\r\nno chunk\r\n')])
      socket.end(Buffer.concat([Buffer.from(head('gzip', 'transfer-encoding: chunked')), chunk]))
    })
    expect({ cut, text }).toEqual({ cut: 'broken', text: gunzipSync(content, whole).toString() })
  })
})

describe('a coded body that comes faster than it is decoded', () => {
  it('is not read until there is room for it, and then to its end', async () => {
    const length = 48 * 1024 * 1024
    // As long as what it holds.
    const content = gzipSync(Buffer.alloc(length, 'x'), { level: 0 })
    const release = holdThreads()
    let sent = 0
    let socket: Socket | undefined
    const reply = replyOf((given) => {
      socket = given
      given.write(head('gzip', `content-length: ${content.length}`))
      let at = 0
      const more = (): void => {
        while (at < content.length) {
          const piece = content.subarray(at, at + 65_536)
          at += piece.length
          if (!given.write(piece, () => (sent += piece.length))) return void given.once('drain', more)
        }
      }
      more()
    })
    // Nothing goes on once the buffers of both ends are full: they hold less than half of it.
    let before = -1
    await expect
      .poll(
        () => {
          const isStill = sent > 0 && sent === before
          before = sent
          return isStill
        },
        { interval: 200, timeout: 20_000 },
      )
      .toBe(true)
    expect(sent).toBeLessThan(content.length / 2)
    release()
    const { cut, text } = await reply
    expect({ cut, length: text.length }).toEqual({ cut: undefined, length })
    expect(socket?.writableLength).toBe(0)
  })
})

/** Keeps all threads that zlib works in busy, until called: each waits for the other end of a pipe. */
function holdThreads(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'sfstream-'))
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  const held = Array.from(
    { length: Number(process.env.UV_THREADPOOL_SIZE ?? 4) },
    () => new Promise<void>((resolve) => open(fifo, 'r', (_, file) => resolve(closeSync(file)))),
  )
  let isHeld = true
  const release = (): void => {
    if (!isHeld) return
    isHeld = false
    const file = openSync(fifo, constants.O_RDWR)
    void Promise.all(held).then(() => {
      closeSync(file)
      rmSync(folder, { recursive: true })
    })
  }
  onTestFinished(release)
  return release
}
