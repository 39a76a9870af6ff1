// The child of seeds-check.ts: simulates seed after seed and prints a line of JSON for each. `seeds.ts <first> <last> <all|first> [skipped,…]`
import { plan } from '../simulation/plan.ts'
import { simulate } from '../simulation/simulate.ts'

const [first, last, until, skipped = ''] = process.argv.slice(2)
const skip = new Set(skipped.split(',').map(Number))
process.stdout.write('"ready"\n')
for (let seed = Number(first); seed <= Number(last); seed++) {
  if (skip.has(seed)) continue
  process.stdout.write(`${JSON.stringify({ seed })}\n`)
  const { violations } = await simulate(plan(seed))
  if (violations.length === 0) continue
  process.stdout.write(`${JSON.stringify({ seed, violation: violations[0] })}\n`)
  if (until === 'first') break
}
