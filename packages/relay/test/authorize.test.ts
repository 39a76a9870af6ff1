import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { channel, other, relayBench } from './relay-bench.ts'

const sse = { accept: 'text/event-stream' }
let server: Server | undefined
afterEach(async () => {
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)))
  server = undefined
})

/** The status that Node's server answers, or why it does not. */
async function statusOf(port: number): Promise<number | string> {
  return new Promise((resolve) => {
    const asked = httpRequest({ port, path: `/events?channel=${channel}`, headers: { accept: 'text/event-stream' } }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
      response.on('error', ({ message }) => resolve(message))
    })
    asked.on('error', ({ message }) => resolve(message))
    asked.end()
  })
}

describe('an answer of authorize', () => {
  const denied = new Response('sign in', { status: 401 })
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('no secrets here')) })
  test.each([
    ['that is one Response for all', () => denied, [401, 401]],
    ['that is no answer', () => Response.error(), [503, 503]],
    ['that breaks off', () => new Response(broken, { status: 401 }), [503, 503]],
  ])('%s ends neither the request nor the process', async (_, answer, expected) => {
    const bench = relayBench({ authorize: answer })
    const web = [await bench.relay(bench.request(`?channel=${channel}`, sse)), await bench.relay(bench.request(`?channel=${channel}`, sse))]
    expect(web.map(({ status }) => status)).toEqual(expected)
    server = createServer(bench.relay.node).listen(0)
    const { port } = server.address() as AddressInfo
    expect([await statusOf(port), await statusOf(port)]).toEqual(expected)
    await bench.relay.close()
  })

  test('that does not come is given up, and takes no place from others', async () => {
    const bench = relayBench({
      maxClients: 1,
      authorize: (request) => (request.headers.has('x-slow') ? new Promise<boolean>(() => {}) : true),
    })
    const slow = bench.relay(bench.request(`?channel=${channel}`, { ...sse, 'x-slow': '1' }))
    let response: Response | undefined
    void slow.then((answered) => {
      response = answered
    })
    expect((await bench.get(`?channel=${channel}`, sse)).status).toBe(200)
    await bench.clock.advance(30_000)
    expect(response?.status).toBe(503)
    expect(response?.headers.get('retry-after')).toBeTruthy()
    await bench.relay.close()
  })

  test('that does not come is not waited for when its reader has left', async () => {
    const bench = relayBench({ authorize: () => new Promise<boolean>(() => {}) })
    const controller = new AbortController()
    const asked = bench.relay(new Request(bench.request(`?channel=${channel}&channel=${other}`, sse), { signal: controller.signal }))
    let isAnswered = false
    void asked.then(() => {
      isAnswered = true
    })
    await bench.clock.advance(10)
    controller.abort()
    await bench.clock.advance(10)
    expect(isAnswered).toBe(true)
    await bench.relay.close()
  })
})
