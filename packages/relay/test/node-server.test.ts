import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { createClient } from '@sfstream/core'
import { createMockOrg } from '@sfstream/mock-org'
import { createRelay, type Relay } from '@sfstream/relay'
import { relay as relaySource } from '@sfstream/relay/client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { channel, other } from './relay-bench.ts'

const org = createMockOrg()
let relay: Relay
let server: Server
let port: number

beforeEach(async () => {
  relay = createRelay({
    connect: () => createClient({ auth: org.session(), replayStore: null, platform: { fetch: org.fetch } }),
    channels: [channel, other],
    authorize(request, name) {
      if (name === other) return false
      if (!request.headers.has('x-stranger')) return true
      const response = new Response('who are you?', { status: 401 })
      response.headers.append('set-cookie', 'a=1')
      response.headers.append('set-cookie', 'b=2')
      return response
    },
  })
  server = createServer(relay.node)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterEach(async () => {
  await relay.close()
  server.closeAllConnections()
  server.close()
})

/** The head of what comes back for these bytes. */
async function raw(head: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`${head}\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`)
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  await once(socket, 'close')
  return text.split('\r\n', 1)[0] ?? ''
}

test.each([
  ['GET // HTTP/1.1', '400'],
  ['GET http://[ HTTP/1.1', '400'],
  ['TRACE / HTTP/1.1', '400'],
  ['DELETE / HTTP/1.1', '405'],
  ['GET /?channel=nonsense HTTP/1.1\r\naccept: text/event-stream', '403'],
])('whatever a stranger sends is answered: %s', async (head, status) => {
  expect(await raw(head)).toContain(` ${status} `)
})

test('an answer of your own keeps all its cookies', async () => {
  const response = await fetch(`http://127.0.0.1:${port}/?channel=${channel}`, { headers: { 'x-stranger': '1' } })
  expect([response.status, response.headers.getSetCookie(), await response.text()]).toEqual([401, ['a=1', 'b=2'], 'who are you?'])
})

test('a stream is read as it is written, and who leaves is forgotten', async () => {
  const controller = new AbortController()
  const response = await fetch(`http://127.0.0.1:${port}/?channel=${channel}`, {
    headers: { accept: 'text/event-stream' },
    signal: controller.signal,
  })
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  let text = ''
  const until = async (part: string): Promise<void> => {
    while (!text.includes(part)) text += decoder.decode((await reader.read()).value)
  }
  await until('event: subscribed')
  org.publish(channel, { Number__c: 7 })
  await until('"Number__c":7')
  expect(relay.stats.clients).toBe(1)
  controller.abort()
  await expect.poll(() => relay.stats.clients).toBe(0)
})

test('a channel that is refused ends alone: the others of its client go on', async () => {
  const client = createClient({ source: relaySource(`http://127.0.0.1:${port}/`), replayStore: null })
  const numbers: unknown[] = []
  const subscription = client.subscribe<{ Number__c: number }>(channel)
  void (async () => {
    for await (const event of subscription) numbers.push(event.payload.Number__c)
  })().catch(() => {})
  await expect(client.subscribe(other).ready).rejects.toMatchObject({ code: 'subscribe_refused', channel: other })
  await subscription.ready
  org.publish(channel, { Number__c: 8 })
  await expect.poll(() => numbers).toEqual([8])
  await client.stop()
})

test('one who does not read keeps no connection after the end of its stream', async () => {
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET /?channel=${encodeURIComponent(channel)} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n`)
  socket.on('error', () => {})
  await once(socket, 'data')
  socket.pause()
  await expect.poll(() => relay.stats.channels).toBe(1)
  const delivered = (): number => Object.values(org.inspect.deliveries).reduce((sum, count) => sum + count, 0)
  const before = delivered()
  // More than the buffers of two sockets hold.
  for (let each = 0; each < 120; each++) org.publish(channel, { Number__c: each, Text__c: 'x'.repeat(100_000) })
  await expect.poll(delivered).toBe(before + 120)
  await relay.close()
  const connections = (): Promise<number> => new Promise((resolve) => server.getConnections((_, count) => resolve(count)))
  await expect.poll(connections).toBe(0)
})
