import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { faultKinds, faultSchedule } from '../soak/fault-schedule.ts'
import { seeded } from '../soak/random.ts'
import type { Sample, SoakRecord } from '../soak/soak-record.ts'
import { svgPlot } from '../soak/svg-plot.ts'
import { judge } from '../soak/verdict.ts'

const sources = new URL('../sources.mjs', import.meta.url).href
const script = fileURLToPath(new URL('../soak/soak.ts', import.meta.url))

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sfstream-soak-test-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

interface Ran {
  code: number | null
  out: string
  errors: string
}

/** Runs the script; at its first line `onLine` may interrupt it. */
async function soak(args: readonly string[], onLine: (interrupt: () => void) => void = () => {}): Promise<Ran> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--import', sources, script, ...args], { cwd: folder })
  let [out, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    if (out === '') onLine(() => child.kill('SIGINT'))
    out += piece
  })
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    errors += piece
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, errors }
}

async function written(): Promise<SoakRecord & { passed: boolean }> {
  return JSON.parse(await readFile(join(folder, 'soak-out', 'soak.json'), 'utf8'))
}

describe('pnpm soak', () => {
  test('a run of six seconds meets every fault, loses nothing, and writes its record and its plot', async () => {
    const { code, out, errors } = await soak(['--minutes', '0.1', '--seed', '3', '--rate', '40'])
    expect(errors).toBe('')
    expect(out).toMatch(/Passed\. See soak-out/)
    expect(code).toBe(0)
    expect((await readdir(join(folder, 'soak-out'))).sort()).toEqual(['soak.json', 'soak.svg'])
    const record = await written()
    expect(record).toMatchObject({ passed: true, interrupted: false, left: { slots: 0, handles: 0, exit: 0 } })
    expect([...new Set(record.faults.map(({ kind }) => kind))].sort()).toEqual([...faultKinds].sort())
    expect(record.samples.at(-1)?.published).toBeGreaterThan(100)
    expect(record.samples.at(-1)?.handshakes).toBeGreaterThan(2)
    const plot = await readFile(join(folder, 'soak-out', 'soak.svg'), 'utf8')
    for (const words of ['Heap in use', '(MB)', 'Open sockets', 'time (minutes)', ...faultKinds]) expect(plot).toContain(words)
  })

  test('Ctrl-C ends it early, with a report', async () => {
    const { code, out } = await soak(['--minutes', '60', '--out', 'soak-out'], (interrupt) => interrupt())
    expect(out).toContain('Ended early.')
    expect(code).toBe(0)
    expect(await written()).toMatchObject({ passed: true, interrupted: true, left: { slots: 0, handles: 0, exit: 0 } })
  })

  test.each([
    [['--minutes', 'x'], "--minutes 'x' is not a number of minutes from 0.05 to 100000."],
    [['--minutes', '0'], "--minutes '0' is not a number of minutes"],
    [['--seed', '1.5'], "--seed '1.5' is not a whole number"],
    [['--out', ''], '--out is empty'],
    [['--hours', '1'], "Unknown option '--hours'"],
    [['10'], "Unexpected argument '10'"],
  ])('%j gets a plain message and ends 2', async (args, message) => {
    const { code, out, errors } = await soak(args)
    expect(errors).toContain(message)
    expect(errors).toContain('pnpm soak [--minutes N]')
    expect({ code, out }).toEqual({ code: 2, out: '' })
  })
})

describe('the schedule of faults', () => {
  test('is the same for a seed and another for the next, and brings every kind once a round', () => {
    const kinds = (seed: number) => faultSchedule(600_000, seeded(seed)).map(({ kind }) => kind)
    expect(kinds(1)).toEqual(kinds(1))
    expect(kinds(1)).not.toEqual(kinds(2))
    expect(kinds(1).length).toBeGreaterThan(40)
    expect(new Set(kinds(1).slice(10, 20)).size).toBe(faultKinds.length)
  })
})

describe('the verdict', () => {
  const good = (): SoakRecord => ({
    minutes: 1,
    seed: 1,
    rate: 1,
    interrupted: false,
    samples: Array.from({ length: 60 }, (_, at) => sample(at)),
    faults: [],
    statuses: { state: 3 },
    failures: [],
    channels: { '/u/x': { published: 9, handled: 9, repeated: 0, disordered: 0, missing: 0, stored: '9', last: '9' } },
    mostConnects: 1,
    left: { slots: 0, handles: 0, exit: 0 },
  })
  const sample = (at: number): Sample => ({
    atMs: at * 1_000,
    published: at,
    handled: at,
    repeated: 0,
    disordered: 0,
    missing: 0,
    handshakes: 1,
    logins: 1,
    // Noise that no line may take for a rise.
    heapBytes: 20_000_000 + (at % 3) * 400_000,
    rssBytes: 1,
    handles: 2 + (at % 2),
    sockets: 2,
  })
  const each = (record: SoakRecord, change: (taken: Sample) => Partial<Sample>): void => {
    for (const taken of record.samples) Object.assign(taken, change(taken))
  }
  const channel = (record: SoakRecord) => record.channels['/u/x']!

  test('passes a good record', () => {
    expect(judge(good()).filter(({ passed }) => passed !== true)).toEqual([])
  })

  test('judges neither heap nor handles by few samples', () => {
    const record = good()
    record.samples.length = 20
    expect(judge(record).filter(({ passed }) => passed === undefined)).toHaveLength(3)
  })

  test('does not judge events that Ctrl-C came before', () => {
    const record = { ...good(), interrupted: true }
    Object.assign(channel(record), { published: 0, handled: 0 })
    expect(judge(record).filter(({ passed }) => passed !== true)).toMatchObject([{ name: 'events', passed: undefined }])
  })

  test.each<[string, (record: SoakRecord) => unknown]>([
    ['events', (record) => Object.assign(channel(record), { handled: 8 })],
    ['events', (record) => Object.assign(channel(record), { published: 0, handled: 0 })],
    ['repeats', (record) => Object.assign(channel(record), { repeated: 1 })],
    ['repeats', (record) => Object.assign(channel(record), { disordered: 1 })],
    ['loops', (record) => record.failures.push('token_refused')],
    ['gaps', (record) => Object.assign(record.statuses, { replayGap: 1 })],
    ['positions', (record) => Object.assign(channel(record), { stored: '8' })],
    ['connects', (record) => Object.assign(record, { mostConnects: 2 })],
    ['heap', (record) => each(record, (taken) => ({ heapBytes: taken.heapBytes + taken.atMs * 25 }))],
    ['handles', (record) => each(record, (taken) => ({ handles: taken.handles + taken.atMs / 10_000 }))],
    ['sockets', (record) => each(record, (taken) => ({ sockets: taken.sockets + Math.floor(taken.atMs / 15_000) }))],
    ['socket peak', (record) => Object.assign(record.samples[3]!, { sockets: 7 })],
    ['release', (record) => Object.assign(record.left, { slots: 1 })],
    ['release', (record) => Object.assign(record.left, { handles: 1 })],
    ['release', (record) => Object.assign(record.left, { exit: 3 })],
  ])('fails %s alone', (name, spoil) => {
    const record = good()
    spoil(record)
    expect(judge(record).filter(({ passed }) => passed !== true)).toMatchObject([{ name, passed: false }])
  })
})

describe('the plot', () => {
  test('places values between zero and a round number above them, and marks under them', () => {
    const plot = svgPlot({
      title: 'a < b & c',
      times: [0, 60_000, 120_000],
      curves: [{ title: 'Heap', unit: 'MB', values: [0, 5, 10] }],
      lanes: [{ name: 'restart', marks: [60_000] }],
    })
    expect(plot).toContain('a &lt; b &amp; c')
    // From 130 to 936 across, from 220 (zero) up to 70 (ten).
    expect(plot).toMatch(/points="130,220 533,145 936,70"/)
    expect(plot.match(/<line x1="533" y1="\d+" x2="533"/g)?.length).toBeGreaterThanOrEqual(2)
    expect(plot).toMatch(/>Heap \(MB\)<\/text>/)
    expect(svgPlot({ title: 'x', times: [0, 602_000], curves: [], lanes: [] })).not.toContain('>11<')
    expect(plot).not.toContain('NaN')
  })

  test('draws a run without samples', () => {
    expect(svgPlot({ title: 'x', times: [], curves: [{ title: 'y', unit: 'z', values: [] }], lanes: [] })).not.toMatch(/NaN|Infinity/)
  })
})
