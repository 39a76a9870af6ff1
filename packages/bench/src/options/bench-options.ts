import { parseArgs } from 'node:util'

export interface BenchOptions<Name extends string> {
  names: Name[]
  /** True where rows were named: what they leave out is then no miss. */
  partial: boolean
  check: boolean
  quick: boolean
  /** What is built is up to date. */
  built: boolean
  out: string
  /** A folder for the charts; `charts` beside the figures by default. */
  charts: string | undefined
  growth: boolean
}

/** @throws Error that names what is not known */
export function benchOptions<Name extends string>(args: readonly string[], known: readonly Name[]): BenchOptions<Name> {
  const { values, positionals } = parseArgs({
    args: args.filter((arg) => arg !== '--'),
    allowPositionals: true,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      check: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      built: { type: 'boolean', default: false },
      out: { type: 'string', default: 'bench-out' },
      charts: { type: 'string' },
    },
  })
  const stray = positionals.filter((each) => each !== 'growth')
  if (stray.length > 0) throw new Error(`unknown: ${stray.join(' ')}. Use growth, or --only with ${known.join(', ')}`)
  const asked = values.only.flatMap((each) => each.split(','))
  const unknown = asked.filter((each) => !known.some((name) => name === each))
  if (unknown.length > 0) throw new Error(`no row is called ${unknown.join(', ')}. There are ${known.join(', ')}`)
  const names = asked.length > 0 ? known.filter((name) => asked.includes(name)) : [...known]
  const { check, quick, built, out, charts } = values
  return { names, partial: asked.length > 0, check, quick, built, out, charts, growth: positionals.includes('growth') }
}
