import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fileReplayStore } from '../src/file-replay-store.ts'

/** What the disk does in place of what was asked, and what it was asked, in order. */
const disk = vi.hoisted(() => ({ asked: [] as string[], failure: (_: string): string | undefined => undefined }))

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  const ask = (call: string): void => {
    disk.asked.push(call)
    const code = disk.failure(call)
    if (code) throw Object.assign(new Error(`${code}: ${call}`), { code })
  }
  return {
    ...real,
    mkdir: async (...given: Parameters<typeof real.mkdir>) => {
      ask(`mkdir ${given[0]}`)
      return real.mkdir(...given)
    },
    readFile: async (path: string, encoding: 'utf8') => {
      ask(`read ${path}`)
      return real.readFile(path, encoding)
    },
    rename: async (from: string, to: string) => {
      ask(`rename ${to}`)
      return real.rename(from, to)
    },
    rm: async (...given: Parameters<typeof real.rm>) => {
      ask(`rm ${given[0]}`)
      return real.rm(...given)
    },
    open: async (path: string, flags: string) => {
      ask(`open ${path}`)
      const handle = await real.open(path, flags)
      const sync = handle.sync.bind(handle)
      handle.sync = async () => {
        ask(`sync ${path}`)
        return sync()
      }
      return handle
    },
  }
})

const key = { org: '00Dxx0000001gER', channel: '/event/Order__e', consumer: 'default' }

let path: string
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'sfstream-disk-'))
  disk.asked = []
  disk.failure = () => undefined
})
afterEach(async () => {
  disk.failure = () => undefined
  await rm(path, { recursive: true, force: true })
})

describe('what is durable when save() resolves', () => {
  it('the file before its name, then its name, and the first time each folder that was made', async () => {
    const folder = join(path, 'a', 'b')
    const store = fileReplayStore({ path: folder })
    await store.save(key, { replayId: 1 })
    const synced = (): string[] =>
      disk.asked.filter((call) => /^(sync|rename)/.test(call)).map((call) => call.replace(/(Order__e)-.*$/, '$1'))
    const file = join(folder, 'event.Order__e')
    expect(synced()).toEqual([`sync ${join(path, 'a')}`, `sync ${path}`, `sync ${file}`, `rename ${file}`, `sync ${folder}`])
    disk.asked = []
    await store.save(key, { replayId: 2 })
    expect(synced()).toEqual([`sync ${file}`, `rename ${file}`, `sync ${folder}`])
  })

  it.each(['EINVAL', 'ENOTSUP', 'EACCES'])('where folders cannot be synced (%s), the file', async (code) => {
    const folder = join(path, 'a')
    disk.failure = (call) => (call === `sync ${folder}` || call === `sync ${path}` ? code : undefined)
    await fileReplayStore({ path: folder }).save(key, { replayId: 1 })
    expect(await fileReplayStore({ path: folder }).load(key)).toEqual({ replayId: 1 })
  })

  it.each(['sync', 'rename', 'open'])('nothing where the disk fails at %s: the one before stays, and no heap grows', async (what) => {
    const store = fileReplayStore({ path })
    await store.save(key, { replayId: 1 })
    disk.failure = (call) => (call.startsWith(what) ? 'EIO' : undefined)
    for (let replayId = 2; replayId < 5; replayId++)
      await expect(store.save(key, { replayId })).rejects.toMatchObject({ code: 'store_failed', retryable: true })
    disk.failure = () => undefined
    expect(await store.load(key)).toEqual({ replayId: 1 })
    expect(await readdir(path)).toHaveLength(1)
    await store.save(key, { replayId: 5 })
    expect(await store.load(key)).toEqual({ replayId: 5 })
  })
})

describe('what is left from before', () => {
  const past = new Date(Date.now() - 3_600_000)

  it('and cannot be removed does not keep a position from being saved', async () => {
    const left = join(path, 'event.Order__e-0123456789abcdef0123.json.01234567.tmp')
    await writeFile(left, '')
    await utimes(left, past, past)
    disk.failure = (call) => (call === `rm ${left}` ? 'EPERM' : undefined)
    const store = fileReplayStore({ path })
    await store.save(key, { replayId: 1 })
    expect(await store.load(key)).toEqual({ replayId: 1 })
  })

  it('is removed only where it is ours: a folder may hold other things', async () => {
    const foreign = ['upload.tmp', 'report.json.tmp', 'state.json.0.tmp', '.tmp']
    for (const name of foreign) {
      await writeFile(join(path, name), 'mine')
      await utimes(join(path, name), past, past)
    }
    await mkdir(join(path, 'folder.tmp'))
    await utimes(join(path, 'folder.tmp'), past, past)
    await fileReplayStore({ path }).save(key, { replayId: 1 })
    expect(foreign.filter((name) => !existsSync(join(path, name)))).toEqual([])
  })
})

it.each(['EMFILE', 'EIO', 'EACCES'])('a file that cannot be read at this moment (%s) is not taken for a damaged one', async (code) => {
  const store = fileReplayStore({ path })
  await store.save(key, { replayId: 1 })
  disk.failure = (call) => (call.startsWith('read ') ? code : undefined)
  await expect(store.save(key, { replayId: 2 })).rejects.toMatchObject({ code: 'store_failed', retryable: true })
  const refused = expect.objectContaining({ code: 'store_unreadable', remediation: expect.stringContaining('it may be sound') })
  await expect(store.load(key)).rejects.toEqual(refused)
  disk.failure = () => undefined
  await store.save(key, { replayId: 2 })
  expect(await store.load(key)).toEqual({ replayId: 2 })
})

it('positions of other orgs are told although a file beside them is damaged; where only that is there, it is named', async () => {
  const store = fileReplayStore({ path })
  await store.save({ ...key, org: 'a.example' }, { replayId: 1 })
  const damaged = join(path, 'event.Order__e-damaged.json')
  await writeFile(damaged, '{"sfst')
  expect(await store.orgs(key)).toEqual(['a.example'])
  await store.delete({ ...key, org: 'a.example' })
  await expect(store.orgs(key)).rejects.toMatchObject({ code: 'store_unreadable', message: expect.stringContaining(damaged) })
})
