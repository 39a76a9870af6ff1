import { ReplayError, type ReplayKey, type ReplayPosition, type ReplayStore, StateError } from '@sfstream/core'
import { formatRecord, positionOf, unreadable } from '@sfstream/core/internal'

/** The part of `Deno.Kv` that is used. */
export interface KvDatabase {
  get(key: readonly string[]): Promise<{ value: unknown }>
  set(key: readonly string[], value: unknown): Promise<unknown>
  delete(key: readonly string[]): Promise<void>
  list(selector: { prefix: readonly string[] }): AsyncIterable<{ key: readonly unknown[] }>
  close(): void
}

export interface DenoKvReplayStoreOptions {
  /** An open database, which stays yours to close; else one is opened when it is first needed. */
  kv?: KvDatabase
  /** Where that one is: a file, ':memory:', or by default the script's own. */
  path?: string
}

/** A ReplayStore over Deno KV; `close` lets go of a database that it opened. */
export interface DenoKvReplayStore extends ReplayStore {
  load(key: ReplayKey): Promise<ReplayPosition | undefined>
  delete(key: ReplayKey): Promise<void>
  orgs(key: ReplayKey): Promise<readonly string[]>
  close(): Promise<void>
}

/**
 * Positions in Deno KV, which Deno 2 has behind `--unstable-kv`. A file of your own needs `--allow-read` and `--allow-write` for it.
 *
 * Rejects with ReplayError `store_unreadable` for records that are damaged or foreign (never overwritten), with `store_failed` where
 * the database will not write.
 * @throws StateError `bad_option` where this Deno has no KV
 */
export function denoKvReplayStore({ kv, path }: DenoKvReplayStoreOptions = {}): DenoKvReplayStore {
  const { Deno } = globalThis as { Deno?: { openKv?: (path?: string) => Promise<KvDatabase> } }
  const openKv = Deno?.openKv?.bind(Deno)
  if (!kv && !openKv) {
    throw new StateError({
      code: 'bad_option',
      message: 'There is no Deno KV to keep positions in.',
      remediation: 'Run deno with --unstable-kv, or pass a replayStore of your own (null keeps nothing).',
    })
  }
  let opened: Promise<KvDatabase> | undefined
  const open = (): Promise<KvDatabase> => {
    if (kv) return Promise.resolve(kv)
    opened ??= openKv!(path).catch((cause: unknown) => {
      opened = undefined
      throw unreadable(`in Deno KV ${path ?? ''}`.trimEnd(), 'cannot be reached', cause)
    })
    return opened
  }
  const name = ({ org, channel, consumer }: ReplayKey): string[] => ['sfstream', channel, consumer, org]
  const read = async (key: ReplayKey): Promise<ReplayPosition | undefined> => {
    const { value } = await (await open()).get(name(key))
    return value === null || value === undefined ? undefined : positionOf(String(value), key, name(key).join(' '))
  }

  return {
    load: read,
    async save(key, position) {
      // What is there is read first: a value that is not ours must outlive us.
      await read(key)
      const database = await open()
      try {
        await database.set(name(key), formatRecord(key, position))
      } catch (cause) {
        throw new ReplayError({
          code: 'store_failed',
          channel: key.channel,
          message: `The position of ${key.channel} could not be written to Deno KV (${cause instanceof Error ? cause.message : String(cause)}).`,
          remediation: 'See that the database can be written; the save is tried again.',
          retryable: true,
          cause,
        })
      }
    },
    async delete(key) {
      await (await open()).delete(name(key))
    },
    async orgs(key) {
      const orgs: string[] = []
      // Of its name alone: a damaged value is still a trace of its org.
      for await (const item of (await open()).list({ prefix: ['sfstream', key.channel, key.consumer] })) {
        const org = String(item.key.at(-1))
        if (org !== key.org) orgs.push(org)
      }
      return orgs
    },
    async close() {
      const last = opened
      // First: what is asked for meanwhile opens another, and a second close() finds none.
      opened = undefined
      const database = await last?.catch(() => undefined)
      database?.close()
    },
  }
}
