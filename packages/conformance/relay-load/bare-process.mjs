// What no relay can be faster than on this machine: a bare server that writes each event to every socket in one loop.
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'

const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`)
const sockets = []
const arrivals = []
const server = createServer((_, response) => {
  response.removeHeader('transfer-encoding')
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
  response.socket.write('event: subscribed\n\n')
  sockets.push(response.socket)
})
server.listen(0, '127.0.0.1', () => tell({ port: server.address().port }))

for await (const line of createInterface({ input: process.stdin })) {
  const [word, number] = line.split(' ')
  if (word === 'write') {
    // About as long as the relay's own.
    const frame = Buffer.from(
      `id: 1~00D000000000000~%2Fevent%2FOrder_Event__e=${15_000_000 + Number(number)}\ndata: {"Number__c":${number},"fill":"${'x'.repeat(250)}"}\n\n`,
    )
    arrivals[number] = process.hrtime.bigint()
    for (const socket of sockets) socket.write(frame)
  } else if (word === 'arrivals') tell({ arrivals: arrivals.map(String) })
  else break
}
server.close()
server.closeAllConnections()
