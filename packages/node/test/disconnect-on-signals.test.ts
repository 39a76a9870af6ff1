import { describe, expect, it } from 'vitest'
import { ended, listen, runSource } from './support/child.ts'

const program = new URL('support/signalled.ts', import.meta.url)

async function start(mode: string) {
  const child = runSource(program, [mode])
  const out = listen(child.stdout)
  const errors = listen(child.stderr)
  const end = ended(child)
  await out.until((text) => text.includes('ready'))
  return { child, out, errors, end }
}

describe('disconnectOnSignals', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s stops the client, and the program ends in its own way', async (signal) => {
    const { child, out, end } = await start('plain')
    child.kill(signal)
    expect(await end).toBe(0)
    expect(out.text).toBe('ready 1 1\nstopping\nstopped\n')
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('with exit, %s ends the process once the client has stopped, and others of the process', async (signal, status) => {
    const { child, out, end } = await start('exit')
    child.kill(signal)
    expect(await end).toBe(status)
    expect(out.text).toMatch(/\nstopped\nthe other one has stopped\n$/)
  })

  it('a second signal ends it at once, whatever the client is doing', async () => {
    const { child, out, end } = await start('hang')
    child.kill('SIGINT')
    await out.until((text) => text.includes('stopping'))
    child.kill('SIGINT')
    expect(await end).toBe(130)
  })

  it('a position that could not be saved is not silent', async () => {
    const { child, errors, end } = await start('fail')
    child.kill('SIGINT')
    expect(await end).toBe(1)
    expect(errors.text).toContain('the position could not be saved')
  })

  it('the returned function removes its listeners', async () => {
    const { child, out, end } = await start('disposed')
    expect(out.text).toBe('ready 0 0\n')
    child.kill('SIGINT')
    expect(await end).toBe('SIGINT')
  })
})
