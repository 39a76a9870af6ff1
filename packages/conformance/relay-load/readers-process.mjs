// Readers of a relay, in a process of their own: bare sockets, and nothing is parsed before it is asked for, so that what is measured is
// the relay. The first reader stands still from its first event until it is told to read.
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

const [host, channel, count] = process.argv.slice(2)
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`)
const readers = []
const landing = Buffer.allocUnsafe(65_536)

function open(at) {
  const { hostname, port } = new URL(host)
  const reader = { chunks: [], times: [], rest: '', numbers: [], numberTimes: [] }
  // Into one buffer for all: with one of 64 KB for every piece, half of what is measured would be the readers'.
  const onread = {
    buffer: landing,
    callback(size) {
      reader.times.push(process.hrtime.bigint())
      reader.chunks.push(landing.toString('latin1', 0, size))
      return true
    },
  }
  const socket = connect({ port: Number(port), host: hostname, onread })
  reader.socket = socket
  readers.push(reader)
  socket.on('error', (error) => tell({ error: String(error) }))
  socket.write(`GET /?channel=${encodeURIComponent(channel)} HTTP/1.1\r\nhost: ${hostname}\r\naccept: text/event-stream\r\n\r\n`)
  return at
}
for (let at = 0; at < Number(count); at++) open(at)

/** Makes numbers and times of what has come. A number counts once the line it stands in is whole. */
function digest(reader) {
  const chunks = reader.chunks.splice(0)
  const times = reader.times.splice(0)
  chunks.forEach((chunk, at) => {
    const text = reader.rest + chunk
    const end = text.lastIndexOf('\n') + 1
    reader.rest = text.slice(end)
    for (const [, number] of text.slice(0, end).matchAll(/"Number__c":(\d+)/g)) {
      reader.numbers.push(Number(number))
      reader.numberTimes.push(times[at])
    }
    reader.isFlowing ||= text.includes('event: subscribed')
  })
  return reader
}

for await (const line of createInterface({ input: process.stdin })) {
  const [word, first, last] = line.split(' ')
  if (word === 'flowing') tell({ flowing: readers.map(digest).filter(({ isFlowing }) => isFlowing).length })
  else if (word === 'stall') readers[0].socket.pause()
  else if (word === 'read') readers[0].socket.resume()
  // How many readers have exactly the events from `first` to `last`, in order; the one that stands still apart.
  else if (word === 'complete') {
    const isComplete = ({ numbers }) => numbers.length === last - first + 1 && numbers.every((number, at) => number === Number(first) + at)
    const [stalled, ...others] = readers.map(digest)
    tell({ complete: others.filter(isComplete).length, stalled: isComplete(stalled), stalledAt: stalled.numbers.length })
  } else if (word === 'times') tell({ times: readers.slice(1).map(({ numberTimes }) => numberTimes.slice(0, Number(first)).map(String)) })
  else process.exit(0)
}
