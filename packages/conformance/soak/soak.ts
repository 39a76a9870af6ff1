// `pnpm soak`: a real client against a real server in real time, with faults. Ends 0 if every check passed, 1 if not, 2 for wrong arguments.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runSoak } from './run-soak.ts'
import { SoakUsageError, soakArguments, usage } from './soak-arguments.ts'
import type { Sample } from './soak-record.ts'
import { minuteLine, soakPlot, summary } from './soak-report.ts'
import { judge } from './verdict.ts'

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

async function main(): Promise<number> {
  const options = soakArguments(process.argv.slice(2))
  await mkdir(options.out, { recursive: true })
  const interrupt = new AbortController()
  process.on('SIGINT', () => {
    if (interrupt.signal.aborted) process.exit(130)
    say('Ending early: letting the client catch up. Ctrl-C once more gives up.')
    interrupt.abort()
  })
  let minute = 0
  const onSample = (sample: Sample, faults: number): void => {
    if (sample.atMs < minute * 60_000) return
    minute += 1
    say(minuteLine(sample, faults))
  }
  const record = await runSoak(options, interrupt.signal, onSample)
  const checks = judge(record)
  const passed = checks.every((check) => check.passed !== false)
  await writeFile(join(options.out, 'soak.json'), `${JSON.stringify({ passed, checks, ...record }, undefined, 2)}\n`)
  await writeFile(join(options.out, 'soak.svg'), soakPlot(record))
  say(summary(record, checks))
  say(`${passed ? 'Passed.' : 'Failed.'} See ${join(options.out, 'soak.json')} and ${join(options.out, 'soak.svg')}.`)
  return passed ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  const wrong = error instanceof SoakUsageError
  process.stderr.write(wrong ? `${error.message}\n\n${usage}\n` : `The soak broke off: ${error instanceof Error ? error.stack : error}\n`)
  process.exitCode = wrong ? 2 : 1
}
