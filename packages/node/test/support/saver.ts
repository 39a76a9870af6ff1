// Saves ever greater positions as fast as it can, and says which ones are durable. Killed by its test.
import { fileReplayStore } from '../../src/file-replay-store.ts'

const [path = '', channel = '', first = '1', last = 'Infinity'] = process.argv.slice(2)
const store = fileReplayStore({ path })
const key = { org: '00Dxx0000001gER', channel, consumer: 'default' }
for (let replayId = Number(first); replayId <= Number(last); replayId++) {
  await store.save(key, { replayId, createdDate: '2026-01-01T00:00:00.000Z' })
  process.stdout.write(`${replayId}\n`)
}
