import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ReplayError, type ReplayId } from '@sfstream/core'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fileReplayStore } from '../src/file-replay-store.ts'
import { ended, listen, runSource } from './support/child.ts'

const key = { org: '00Dxx0000001gER', channel: '/event/Order__e', consumer: 'default' }
const saver = new URL('support/saver.ts', import.meta.url)

let path: string
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'sfstream-store-'))
})
afterEach(() => rm(path, { recursive: true, force: true }))

async function onlyFile(): Promise<string> {
  const names = await readdir(path)
  expect(names).toHaveLength(1)
  return join(path, names[0] ?? '')
}

const refused = async (work: Promise<unknown>): Promise<ReplayError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ReplayError)
  expect((error as ReplayError).name).toBe('ReplayError')
  return error as ReplayError
}

it.each([['/tmp/positions'], [{ path: 5 }]])(
  'fileReplayStore(%j) is refused: another folder would begin anew without a word',
  (options) => {
    expect(() => fileReplayStore(options as never)).toThrow(expect.objectContaining({ code: 'bad_option' }))
  },
)

describe('positions', () => {
  it('come back in another store on the same folder, whatever the key and the id', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 })
    const id = fc.oneof(
      fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      fc.bigInt(10n ** 15n, 10n ** 24n).map((big) => `${big}` as ReplayId),
    )
    await fc.assert(
      fc.asyncProperty(text, text, text, id, fc.option(text, { nil: undefined }), async (org, channel, consumer, replayId, createdDate) => {
        const position = createdDate === undefined ? { replayId } : { replayId, createdDate }
        await fileReplayStore({ path }).save({ org, channel, consumer }, position)
        expect(await fileReplayStore({ path }).load({ org, channel, consumer })).toEqual(position)
      }),
      { numRuns: 60 },
    )
  })

  it('of keys that differ in case, in one part, or in where the parts divide, stay apart', async () => {
    const store = fileReplayStore({ path })
    const keys = [
      key,
      { ...key, org: key.org.toLowerCase() },
      { ...key, channel: '/event/order__e' },
      { ...key, channel: '/event/Order/__e' },
      { ...key, consumer: 'Default' },
      { ...key, channel: `/topic/${'x'.repeat(500)}` },
      { ...key, channel: `/topic/${'x'.repeat(501)}` },
    ]
    for (const [at, one] of keys.entries()) await store.save(one, { replayId: at })
    for (const [at, one] of keys.entries()) expect(await store.load(one)).toEqual({ replayId: at })
    const names = await readdir(path)
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(keys.length)
    expect(Math.max(...names.map((name) => name.length))).toBeLessThan(200)
  })

  it('keep the digits of ids that a number cannot hold', async () => {
    await fileReplayStore({ path }).save(key, { replayId: '9007199254740993' })
    expect(await readFile(await onlyFile(), 'utf8')).toContain('"9007199254740993"')
    const error = await refused(fileReplayStore({ path }).save(key, { replayId: 9007199254740994 }))
    expect(error.code).toBe('bad_replay')
  })

  it('are unknown at first, also where the folder is missing, and after delete', async () => {
    const store = fileReplayStore({ path: join(path, 'a', 'b') })
    expect(await store.load(key)).toBeUndefined()
    expect(await store.orgs(key)).toEqual([])
    await store.delete(key)
    await store.save(key, { replayId: 1 })
    await store.delete(key)
    expect(await store.load(key)).toBeUndefined()
  })

  it('tell which other orgs have one for the same channel and consumer', async () => {
    const store = fileReplayStore({ path })
    await store.save({ ...key, org: 'a.example' }, { replayId: 1 })
    await store.save({ ...key, org: 'b.example', consumer: 'another' }, { replayId: 1 })
    await store.save({ ...key, org: 'c.example', channel: '/event/Order' }, { replayId: 1 })
    await store.save(key, { replayId: 1 })
    expect(await store.orgs(key)).toEqual(['a.example'])
  })

  it('take one small file per key, however often they are saved', async () => {
    const store = fileReplayStore({ path })
    for (let replayId = 0; replayId < 50; replayId++) await store.save(key, { replayId })
    expect((await readFile(await onlyFile())).length).toBeLessThan(300)
  })
})

describe('a file that is not ours', () => {
  it.each([
    ['not JSON', 'replay: 17\n', 'is not JSON'],
    ['cut in the middle', '{"sfstream":1,"org":"00Dxx', 'is not JSON'],
    ['empty', '', 'is empty'],
    ['JSON of somebody else', '{"replayId":17}', 'was not written by sfstream'],
    ['JSON but no object', 'null', 'was not written by sfstream'],
    ['of a later format', '{"sfstream":2}', 'has format 2'],
    ['without a key', '{"sfstream":1,"replayId":17}', 'which org'],
    ['without an id', JSON.stringify({ sfstream: 1, ...key }), 'holds no replay id'],
    [
      'with an id whose digits a number loses',
      `${JSON.stringify({ sfstream: 1, ...key }).slice(0, -1)},"replayId":90071992547409931}`,
      'holds no replay id',
    ],
    ['with another date', JSON.stringify({ sfstream: 1, ...key, replayId: 1, createdDate: 5 }), 'createdDate'],
    ['of another key', JSON.stringify({ sfstream: 1, ...key, consumer: 'another', replayId: 1 }), 'has been renamed'],
  ])('%s: named, and kept as it is', async (_, text, reason) => {
    const store = fileReplayStore({ path })
    await store.save(key, { replayId: 1 })
    const file = await onlyFile()
    await writeFile(file, text)
    for (const work of [
      () => store.load(key),
      () => store.save(key, { replayId: 2 }),
      () => fileReplayStore({ path }).save(key, { replayId: 2 }),
    ]) {
      const error = await refused(work())
      expect(error.code).toBe('store_unreadable')
      expect(error.message).toContain(file)
      expect(error.message).toContain(reason)
      expect(error.remediation).toContain('untouched')
    }
    expect(await readFile(file, 'utf8')).toBe(text)
    expect(await readdir(path)).toHaveLength(1)
  })

  it('in the place of the folder: named, and kept as it is', async () => {
    const file = join(path, 'replay.json')
    await writeFile(file, 'mine')
    const store = fileReplayStore({ path: file })
    for (const work of [() => store.load(key), () => store.save(key, { replayId: 1 }), () => store.orgs(key)]) {
      const error = await refused(work())
      expect(error.code).toBe('store_unreadable')
      expect(error.message).toContain(file)
    }
    expect(await readFile(file, 'utf8')).toBe('mine')
  })

  it('but a folder that cannot be made: the save fails, says why, and is worth another try', async () => {
    const link = join(path, 'replay')
    await symlink(join(path, 'missing', 'replay'), link)
    const store = fileReplayStore({ path: link })
    const error = await refused(store.save(key, { replayId: 1 }))
    expect(error).toMatchObject({ code: 'store_failed', retryable: true, channel: key.channel })
    expect(error.message).toContain(link)
    await mkdir(join(path, 'missing', 'replay'), { recursive: true })
    await store.save(key, { replayId: 1 })
    expect(await store.load(key)).toEqual({ replayId: 1 })
  })
})

describe('processes', () => {
  it('killed at any moment leave a whole file, never older than what was acknowledged', { timeout: 120_000 }, async () => {
    let acknowledged = 0
    for (let round = 0; round < 25; round++) {
      const child = runSource(saver, [path, key.channel, String(acknowledged + 1)])
      const out = listen(child.stdout)
      const stop = ended(child)
      // Some rounds die early, some in the middle: after a few acknowledgements, at a moment of no one's choosing.
      const lines = 1 + (round % 5) * 3
      await out.until((text) => text.split('\n').length > lines)
      if (round % 2) await new Promise((resolve) => setImmediate(resolve))
      child.kill('SIGKILL')
      expect(await stop).toBe('SIGKILL')
      acknowledged = Number(out.text.slice(0, out.text.lastIndexOf('\n')).split('\n').at(-1))
      const position = await fileReplayStore({ path }).load(key)
      expect(Number(position?.replayId)).toBeGreaterThanOrEqual(acknowledged)
    }
  })

  it('on one folder lose none of one another’s keys', { timeout: 60_000 }, async () => {
    const channels = ['/event/A__e', '/event/B__e', '/event/C__e']
    const codes = await Promise.all(channels.map((channel, at) => ended(runSource(saver, [path, channel, '1', String(100 + at)]))))
    expect(codes).toEqual([0, 0, 0])
    const store = fileReplayStore({ path })
    for (const [at, channel] of channels.entries()) expect(await store.load({ ...key, channel })).toMatchObject({ replayId: 100 + at })
    expect(await readdir(path)).toHaveLength(3)
  })

  it('on one key never make a broken file', { timeout: 60_000 }, async () => {
    const children = [runSource(saver, [path, key.channel, '1', '150']), runSource(saver, [path, key.channel, '1001', '1150'])]
    let running = true
    const all = Promise.all(children.map(ended)).finally(() => {
      running = false
    })
    let reads = 0
    while (running) {
      const position = await fileReplayStore({ path }).load(key)
      if (position) reads++
    }
    expect(await all).toEqual([0, 0])
    expect(reads).toBeGreaterThan(10)
    expect([150, 1150]).toContain((await fileReplayStore({ path }).load(key))?.replayId)
  })

  it('that were killed leave no heap of temporary files', async () => {
    await mkdir(path, { recursive: true })
    const old = join(path, 'event.Order__e-0.json.0.tmp')
    const young = join(path, 'event.Order__e-0.json.1.tmp')
    await writeFile(old, '')
    await writeFile(young, '')
    const past = new Date(Date.now() - 3_600_000)
    await utimes(old, past, past)
    await fileReplayStore({ path }).save(key, { replayId: 1 })
    const names = await readdir(path)
    expect(names).toHaveLength(2)
    expect(names).toContain('event.Order__e-0.json.1.tmp')
  })
})
