import { connect as openSocket } from 'node:net'
import { post } from './bare-http.ts'
import { headers } from './bare-loop.ts'
import { type Connect, cometdPath } from './bench-client.ts'

/** Requests made in advance, replies counted by their bytes: what is left is the server and the kernel. */
export function serverCeiling(connections: number): Connect {
  return async (options) => {
    for (let at = 0; at < connections; at++) await start(options)
  }
}

export const connect = serverCeiling(1)

const start: Connect = async ({ url, channels, onEvent, batch }) => {
  const ask = async (message: object): Promise<{ clientId: string }> =>
    (JSON.parse((await post(`${url}${cometdPath}`, headers, JSON.stringify([message]))).text) as [{ clientId: string }])[0]
  const { clientId } = await ask({ channel: '/meta/handshake', id: '1' })
  for (const subscription of channels) await ask({ channel: '/meta/subscribe', id: '2', clientId, subscription })
  const { hostname, port } = new URL(url)
  const body = JSON.stringify([{ channel: '/meta/connect', id: '3', clientId, connectionType: 'long-polling' }])
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const request = Buffer.from(
    `POST ${cometdPath} HTTP/1.1\r\nhost: ${hostname}\r\n${head.join('')}content-length: ${body.length}\r\n\r\n${body}`,
  )
  const socket = openSocket(Number(port), hostname)
  socket.setNoDelay(true)
  let left = 0
  let first = true
  socket.on('data', (chunk) => {
    if (left === 0) {
      const headEnd = chunk.indexOf('\r\n\r\n') + 4
      left = headEnd + Number(/content-length: (\d+)/i.exec(chunk.toString('latin1', 0, headEnd))![1])
    }
    left -= chunk.length
    if (left > 0) return
    // The first connect brings advice and no event.
    if (!first) for (let at = 0; at < batch; at++) onEvent({ Number__c: 0, Stamp__c: '' })
    first = false
    socket.write(request)
  })
  socket.write(request)
}
