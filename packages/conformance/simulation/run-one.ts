import { plan } from './plan.ts'
import { simulate } from './simulate.ts'
process.on('unhandledRejection', (e) => { console.log('UNHANDLED', e) })
const [from, to, trace] = process.argv.slice(2).map(Number) as [number, number, number]
const t0 = performance.now()
let bad = 0
const times: number[] = []
for (let s = from; s <= to; s++) {
  const c = process.cpuUsage()
  const o = await simulate(plan(s), { trace: trace === 1 })
  const d = process.cpuUsage(c)
  times.push((d.user + d.system) / 1000)
  if (o.violations.length) { bad++; console.log(s, o.violations.slice(0, 2).join(' | ').slice(0, 300)) }
  if (trace === 1) console.log(o.lines.join('\n'))
}
times.sort((a, b) => a - b)
console.log({ n: times.length, bad, median: times[times.length >> 1], p95: times[Math.floor(times.length * 0.95)], max: times.at(-1), secs: (performance.now() - t0) / 1000 })
