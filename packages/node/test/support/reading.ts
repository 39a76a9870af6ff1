// A program that reads a long body again and again, and says how much of it has become old: what the next full collection has to clear away.
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { httpTransport } from '../../src/index.ts'

const [url = '', times = ''] = process.argv.slice(2)
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void
const over = httpTransport()
const deadline = { headersMs: 30_000, idleMs: 30_000, totalMs: 600_000 }

const read = async (): Promise<void> => {
  const { signal } = new AbortController()
  await over.exchange({ url: new URL(url), headers: {}, body: '[]', deadline, signal })
  await new Promise((resolve) => setImmediate(resolve))
  collect({ type: 'minor' })
}
const oldBytes = (): number =>
  getHeapSpaceStatistics().reduce(
    (sum, { space_name, space_used_size }) => sum + (/^(old|large)/.test(space_name) ? space_used_size : 0),
    0,
  )

for (let at = 0; at < 5; at++) await read()
const before = oldBytes()
for (let at = 0; at < Number(times); at++) await read()
console.log(oldBytes() - before)
await over.close?.()
