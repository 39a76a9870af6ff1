import { faultKinds } from './fault-schedule.ts'
import type { Sample, SoakRecord } from './soak-record.ts'
import { svgPlot } from './svg-plot.ts'
import type { Check } from './verdict.ts'

export function minuteLine(
  { atMs, published, handled, missing, repeated, handshakes, logins, heapBytes, rssBytes, handles, sockets }: Sample,
  faults: number,
): string {
  return [
    `${clock(atMs)}  faults ${faults}`,
    `published ${published}, handled ${handled}, missing ${missing}, repeated ${repeated}`,
    `handshakes ${handshakes}, logins ${logins}`,
    `heap ${mb(heapBytes)}, rss ${mb(rssBytes)}, handles ${handles}, sockets ${sockets}`,
  ].join(' | ')
}

export function summary(record: SoakRecord, checks: readonly Check[]): string {
  const wide = Math.max(...checks.map(({ name }) => name.length))
  const told = Object.entries(record.statuses).map(([type, times]) => `${type} ${times}`)
  return [
    `${record.interrupted ? 'Ended early. ' : ''}${record.faults.length} faults (seed ${record.seed}); status() said: ${told.join(', ') || 'nothing'}.`,
    ...checks.map(
      ({ name, passed, finding }) => `${passed === undefined ? '  --  ' : passed ? '  ok  ' : 'FAILED'} ${name.padEnd(wide)}  ${finding}`,
    ),
  ].join('\n')
}

export function soakPlot({ samples, faults, minutes, rate, seed }: SoakRecord): string {
  const tenths = (bytes: number): number => Math.round(bytes / 1e4) / 100
  return svgPlot({
    title: `Soak: ${minutes} min, ${rate} events/s, seed ${seed}, ${faults.length} faults`,
    times: samples.map(({ atMs }) => atMs),
    curves: [
      { title: 'Heap in use after a collection', unit: 'MB', values: samples.map(({ heapBytes }) => tenths(heapBytes)) },
      { title: 'Resident set', unit: 'MB', values: samples.map(({ rssBytes }) => tenths(rssBytes)) },
      { title: 'Active handles of the client', unit: 'count', values: samples.map(({ handles }) => handles) },
      { title: 'Open sockets', unit: 'count', values: samples.map(({ sockets }) => sockets) },
    ],
    lanes: faultKinds.map((kind) => ({ name: kind, marks: faults.filter((fault) => fault.kind === kind).map(({ atMs }) => atMs) })),
  })
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

function clock(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
