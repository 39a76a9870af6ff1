import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { ReplayKey, ReplayPosition, ReplayStore } from '@sfstream/core'
import { ReplayError } from '@sfstream/core'
import { formatRecord, isReplayId, parseRecord, type ReplayRecord, textOf, unreadable } from '@sfstream/core/internal'

export interface FileReplayStoreOptions {
  /** The folder of the positions; made when the first one is saved. `./.sfstream/replay`, from the working directory, by default. */
  path?: string
}

/** A save takes milliseconds: a temporary file this old was left by a process that was killed. */
const abandonedMs = 60_000
/** The names of those. A folder may hold what is not ours. */
const temporaryName = /-[\da-f]+\.json\.[\da-f]+\.tmp$/

/** What file systems answer that know no sync of a folder, and folders that may be written but not read: the position is in its file. */
const unsyncable: ReadonlySet<unknown> = new Set(['EACCES', 'EBADF', 'EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM'])

/** A ReplayStore whose `load` knows positions only. */
export interface FileReplayStore extends ReplayStore {
  load(key: ReplayKey): Promise<ReplayPosition | undefined>
  delete(key: ReplayKey): Promise<void>
  orgs(key: ReplayKey): Promise<readonly string[]>
}

/**
 * Keeps positions in a folder, one small JSON file per org, channel and consumer. So processes that share the folder never
 * write one another's positions, and no lock is needed, which a kill could leave behind. Each save writes a temporary file,
 * syncs it, renames it and syncs the folder: whatever happens when, a file holds a whole position.
 *
 * `load`, `save` and `orgs` reject with ReplayError `store_unreadable` where a file is damaged or foreign (it is never
 * overwritten), `save` and `delete` with `store_failed` where the disk refuses.
 */
export function fileReplayStore(options: FileReplayStoreOptions = {}): FileReplayStore {
  const { path = join('.sfstream', 'replay') } = Object(options)
  // Positions in another folder than the one that was meant would be a silent beginning anew.
  if (typeof options !== 'object' || typeof path !== 'string') {
    throw new ReplayError({
      code: 'bad_option',
      message: `fileReplayStore: ${typeof options === 'object' ? `path is a ${typeof path}` : `the options are a ${typeof options}`}.`,
      remediation: "Pass the folder by name: fileReplayStore({ path: './positions' }).",
    })
  }
  const unknown = Object.keys(options ?? {}).find((name) => name !== 'path')
  if (unknown !== undefined) {
    throw new ReplayError({
      code: 'bad_option',
      message: `fileReplayStore has no option '${unknown}'.`,
      remediation: "Pass the folder by name: fileReplayStore({ path: './positions' }).",
    })
  }
  const folder = resolve(path)
  let swept = false

  return {
    async load(key) {
      const record = await read(join(folder, fileName(key)), key)
      if (!record) return undefined
      return record.createdDate === undefined
        ? { replayId: record.replayId }
        : { replayId: record.replayId, createdDate: record.createdDate }
    },

    async save(key, position) {
      if (!isReplayId(position.replayId)) {
        throw new ReplayError({
          code: 'bad_replay',
          channel: key.channel,
          message: `${textOf(position.replayId)} is not a replay id that can be stored.`,
          remediation: 'Pass a safe integer that is not negative, or the digits as a string.',
        })
      }
      const file = join(folder, fileName(key))
      // What is there is read first: a file that is not ours must outlive us.
      await read(file, key).catch((error: ReplayError) => {
        throw isSystems(error.cause) ? failed(key, file, error.cause) : error
      })
      try {
        await make(folder)
        if (!swept) await sweep(folder)
        swept = true
        await replace(file, `${formatRecord(key, position)}\n`)
        await sync(folder)
      } catch (cause) {
        throw failed(key, file, cause)
      }
    },

    async delete(key) {
      const file = join(folder, fileName(key))
      try {
        await rm(file, { force: true })
        await sync(folder)
      } catch (cause) {
        if (code(cause) !== 'ENOENT') throw failed(key, file, cause)
      }
    },

    async orgs(key) {
      const orgs: string[] = []
      const failures: unknown[] = []
      for (const name of await list(folder)) {
        if (!name.startsWith(`${slug(key.channel)}-`) || !name.endsWith('.json')) continue
        const record = await read(join(folder, name)).catch((error: unknown) => void failures.push(error))
        if (record && record.channel === key.channel && record.consumer === key.consumer && record.org !== key.org) orgs.push(record.org)
      }
      // Of others that can be read, one that cannot be takes nothing.
      if (orgs.length === 0 && failures.length > 0) throw failures[0]
      return orgs
    },
  }
}

/** Readable first, then exact: names of channels may be long, or differ in case alone, and some file systems mind neither. */
function fileName({ org, channel, consumer }: ReplayKey): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([org, channel, consumer]))
    .digest('hex')
  return `${slug(channel)}-${hash.slice(0, 20)}.json`
}

function slug(channel: string): string {
  return channel
    .replace(/[^A-Za-z0-9_]+/g, '.')
    .replace(/^\.|\.$/g, '')
    .slice(0, 80)
}

async function read(file: string, key?: ReplayKey): Promise<ReplayRecord | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if (code(cause) === 'ENOENT') return undefined
    throw notReadable(file, cause)
  }
  const record = parseRecord(text, file)
  if (key && (record.org !== key.org || record.channel !== key.channel || record.consumer !== key.consumer))
    throw unreadable(file, `is for ${record.channel} of org ${record.org}, consumer '${record.consumer}', and has been renamed`)
  return record
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (cause) {
    if (code(cause) === 'ENOENT') return []
    throw notReadable(folder, cause)
  }
}

async function replace(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID().slice(0, 8)}.tmp`
  try {
    const handle = await open(temporary, 'wx')
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error
  }
}

/** Makes the folder, and that durable: a folder that a power cut takes away again takes its positions with it. */
async function make(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true })
  if (!first) return
  for (let made = folder; made.length >= first.length; made = dirname(made)) await sync(dirname(made))
}

/** Makes the rename itself durable. Windows cannot open a folder for this, and does not need it. */
async function sync(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  try {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!unsyncable.has(code(error))) throw error
  }
}

/** Removes what killed processes left. Once per store: restarts are what leaves such files. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!temporaryName.test(name)) continue
    const file = join(folder, name)
    const left = await stat(file).catch(() => undefined)
    // One that cannot be removed is no reason to save nothing.
    if (left && Date.now() - left.mtimeMs > abandonedMs) await rm(file, { force: true }).catch(() => {})
  }
}

function code(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code
}

/** Not of what is there, but of this moment: no rights, too many open files, the disk. */
function isSystems(cause: unknown): boolean {
  const what = code(cause)
  return what !== undefined && what !== 'ENOTDIR' && what !== 'EISDIR'
}

function notReadable(path: string, cause: unknown): ReplayError {
  if (code(cause) === 'ENOTDIR') return unreadable(path, 'cannot exist: there is a file where its folder should be', cause)
  const { message, remediation } = unreadable(path, `cannot be read (${code(cause) ?? String(cause)})`)
  return new ReplayError({
    code: 'store_unreadable',
    message,
    // Whoever moved a sound position away would begin anew.
    remediation: isSystems(cause)
      ? 'Let it be read (rights, open files, the disk) and start again; it may be sound, and is left untouched.'
      : remediation,
    cause,
  })
}

function failed(key: ReplayKey, file: string, cause: unknown): ReplayError {
  return new ReplayError({
    code: 'store_failed',
    channel: key.channel,
    message: `The position of ${key.channel} could not be written to ${file} (${code(cause) ?? String(cause)}).`,
    remediation: 'Make the folder writable and see that the disk has room; the save is tried again.',
    retryable: true,
    cause,
  })
}
