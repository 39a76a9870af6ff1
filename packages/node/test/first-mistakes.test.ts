import { expect, test } from 'vitest'
import { disconnectOnSignals, fileReplayStore, httpTransport, sfCli } from '../src/index.ts'

const refused = (message: RegExp): Error => expect.objectContaining({ code: 'bad_option', message: expect.stringMatching(message) })

test('a slip in the name of an option is told, not taken for the default', () => {
  expect(() => fileReplayStore({ folder: './positions' } as object)).toThrow(refused(/fileReplayStore has no option 'folder'/))
  expect(() => sfCli({ targetorg: 'box' } as object)).toThrow(refused(/sfCli: `targetorg`/))
  expect(() => httpTransport({ tsl: {} } as object)).toThrow(refused(/httpTransport\(\) has no option 'tsl'/))
  expect(() => httpTransport({ tls: 'client.pem' } as object)).toThrow(refused(/tls is 'client.pem'/))
})

test('signals of nothing: no client, or no signal', () => {
  const listeners = process.listenerCount('SIGINT')
  expect(() => disconnectOnSignals(undefined as never)).toThrow(refused(/no client/))
  const client = { stop: async () => {} }
  expect(() => disconnectOnSignals(client, { signals: ['SIGINT', 'SIGNOPE' as 'SIGINT'] })).toThrow(refused(/no signal 'SIGNOPE'/))
  expect(process.listenerCount('SIGINT')).toBe(listeners)
})
