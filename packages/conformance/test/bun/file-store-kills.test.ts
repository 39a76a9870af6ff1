import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MockOrgServer, startMockOrgServer } from '@sfstream/mock-org/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { killedChannel, killRounds } from '../runtimes/kill-rounds.ts'
import { startBun } from '../runtimes/runtime-process.ts'

const cwd = mkdtempSync(join(tmpdir(), 'sfstream-bun-'))
let server: MockOrgServer

beforeAll(async () => {
  server = await startMockOrgServer()
})
afterAll(async () => {
  await server.close()
  rmSync(cwd, { recursive: true })
})

test('Bun, killed in mid-stream with its positions in files: lost 0, and what was durable does not come again', async () => {
  await killRounds(server, () => startBun('bun/programs/file-stream.mjs', [JSON.stringify(server.org.session()), killedChannel], { cwd }))
  expect(readdirSync(join(cwd, '.sfstream/replay')).filter((name) => name.endsWith('.json'))).toHaveLength(1)
})
