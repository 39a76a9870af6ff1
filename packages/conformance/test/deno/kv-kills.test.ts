import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { afterAll, beforeAll, test } from 'vitest'
import { killedChannel, killRounds } from '../runtimes/kill-rounds.ts'
import { startDeno } from '../runtimes/runtime-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'sfstream-kv-'))
const file = join(folder, 'positions.db')
let server: MockOrgServer

beforeAll(async () => {
  server = await startMockOrgServer()
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

test('killed in mid-stream with its positions in a KV file: lost 0, and what was durable does not come again', async () => {
  // The permissions of the README, for this very file.
  const flags = ['--unstable-kv', `--allow-net=${new URL(server.url).host}`, `--allow-read=${file}`, `--allow-write=${file}`]
  await killRounds(server, () =>
    startDeno('deno/programs/kv-stream.mjs', [JSON.stringify(server.org.session()), killedChannel, file], flags),
  )
})
