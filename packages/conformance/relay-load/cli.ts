import { relayLoad } from './relay-load.ts'

// `pnpm relay-load [readers]`: what a relay costs, on this machine. The latency is for reading, not for passing or failing.
const readers = Number(process.argv[2] ?? 500)
const { memory, ...figures } = await relayLoad({ readers, singles: 100, burst: 5_000 })
console.log(JSON.stringify(figures, null, 2))
console.log('memory (heap and buffers, rss; MB), connected, during the burst, at the end:')
console.log(memory.map(({ heap, rss }) => `${heap}/${rss}`).join('  '))
