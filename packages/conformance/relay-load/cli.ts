import { bareLatency, relayLoad } from './relay-load.ts'

// `pnpm relay-load [readers]`: what a relay costs, on this machine. For reading, not for passing or failing.
const readers = Number(process.argv[2] ?? 500)
const singles = 200
const { memory, latencyMs, ...figures } = await relayLoad({ readers, singles, burst: 5_000 })
const bareMs = await bareLatency(readers, singles)
console.log(JSON.stringify(figures, null, 2))
console.log('heap and buffers, rss (MB): connected, during the burst, at the end')
console.log(memory.map(({ heap, rss }) => `${heap}/${rss}`).join('  '))
console.log('latency, ms            p50    p95    p99')
const line = (name: string, { p50, p95, p99 }: typeof bareMs): string =>
  `${name.padEnd(20)} ${[p50, p95, p99].map((ms) => ms.toFixed(2).padStart(6)).join(' ')}`
console.log(line(`relay, ${readers} readers`, latencyMs))
console.log(line('a bare loop', bareMs))
// Of the bare loop's time most is the kernel's and the readers' own: what is left is the relay's.
console.log(
  line('added by the relay', { p50: latencyMs.p50 - bareMs.p50, p95: latencyMs.p95 - bareMs.p95, p99: latencyMs.p99 - bareMs.p99 }),
)
