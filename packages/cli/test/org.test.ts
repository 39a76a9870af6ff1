import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { channel, lines, type Stage, sfstream, stage } from './support.ts'

describe('publish', () => {
  let org: Stage
  beforeEach(async () => {
    org = await stage()
  })
  afterEach(() => org.leave())

  it('a platform event, and prints the answer', async () => {
    const run = sfstream(['publish', channel, '{"Number__c": 7}'], org.env)
    expect(await run.status).toBe(0)
    expect(JSON.parse(run.out.text)).toMatchObject({ id: expect.any(String) })
    expect(org.org.inspect.published(channel)).toMatchObject([{ payload: { Number__c: 7 } }])
  })

  it.each([
    ['Deployment begins', 'Deployment begins'],
    ['"quoted \\u00e9"', 'quoted é'],
    ['{"a":1}', '{"a":1}'],
  ])('text %s on a generic channel', async (given, text) => {
    const run = sfstream(['publish', '/u/Notices', given], org.env)
    expect(await run.status).toBe(0)
    expect(org.org.inspect.published('/u/Notices').map(({ payload }) => payload)).toEqual([text])
  })

  it('what the org refuses ends with 1, refused credentials with 3', async () => {
    const refused = sfstream(['publish', '/event/NoSuch__e', '{}'], org.env)
    expect(await refused.status).toBe(1)
    expect(refused.err.text).toContain('code: request_refused')
    const wrong = sfstream(['publish', channel, '{}'], { ...org.env, SF_CLIENT_SECRET: 'wrong' })
    expect(await wrong.status).toBe(3)
  })
})

describe('mock', () => {
  it('--json says where it listens on one line, publishes, and ends with 0 at Ctrl-C', async () => {
    const mock = sfstream(['mock', '--json', '--publish', '40', '--seed', '5'])
    await mock.out.until((text) => text.includes('\n'))
    const { url, clientId, clientSecret } = JSON.parse(lines(mock.out.text)[0]!) as Record<string, string>
    expect(Object.keys(JSON.parse(lines(mock.out.text)[0]!))).toEqual(['url', 'loginUrl', 'clientId', 'clientSecret'])
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const env = { SF_LOGIN_URL: url!, SF_CLIENT_ID: clientId!, SF_CLIENT_SECRET: clientSecret! }
    const org = await stage()
    const tail = sfstream(['tail', '/event/Order__e', '/u/Notices', '--limit', '4', '--replay', 'all', '--store', org.store], env)
    expect(await tail.status).toBe(0)
    expect(lines(tail.out.text)).toHaveLength(4)
    await org.leave()
    mock.kill('SIGINT')
    expect(await mock.status).toBe(0)
    expect(lines(mock.out.text)).toHaveLength(1)
  })

  it('tells people what to export', async () => {
    const mock = sfstream(['mock'])
    await mock.out.until((text) => text.includes('sfstream tail'))
    expect(mock.out.text).toMatch(/export SF_LOGIN_URL=http:\/\/127\.0\.0\.1:\d+ SF_CLIENT_ID=\S+ SF_CLIENT_SECRET=\S+\n/)
    mock.kill('SIGTERM')
    expect(await mock.status).toBe(0)
  })

  it('a port that is taken ends with 1', async () => {
    const org = await stage()
    const mock = sfstream(['mock', '--port', new URL(org.url).port])
    expect(await mock.status).toBe(1)
    expect(mock.err.text).toContain('is taken (EADDRINUSE). Give another')
    await org.leave()
  })
})

describe('demo', () => {
  // A temporary folder of its own: other demos may run on this machine.
  let TMPDIR: string
  beforeEach(async () => {
    TMPDIR = await mkdtemp(join(tmpdir(), 'sfstream-cli-'))
  })
  afterEach(async () => {
    const left = await readdir(TMPDIR)
    await rm(TMPDIR, { recursive: true })
    expect(left).toEqual([])
  })

  it('shows every fault and recovery, and accounts for every event', { timeout: 120_000 }, async () => {
    const run = sfstream(['demo'], { TMPDIR })
    expect(await run.status).toBe(0)
    expect(run.err.text).toBe('')
    expect(lines(run.out.text).at(-1)).toMatch(/^published (\d+), delivered \1, lost 0, duplicated 0(, redelivered [1-9]\d*)?$/)
    const story = [
      'channels subscribed',
      '✗ the org loses the session',
      'session lost -> new handshake, resubscribed from #',
      '✗ the token is revoked',
      'token refused -> logged in again, resubscribed from #',
      '✗ the connection is cut',
      '✗ the consumer is killed (SIGKILL)',
      'published while nobody listens; started again',
      'channels subscribed',
      'published',
    ]
    let at = 0
    for (const part of story) {
      const found = run.out.text.indexOf(part, at)
      expect(found, part).toBeGreaterThanOrEqual(at)
      at = found + part.length
    }
    for (const name of ['/event/Order__e', '/data/AccountChangeEvent', '/topic/OpenCases', '/u/Notices'])
      expect(run.out.text).toContain(name)
    expect(run.out.text).not.toContain('\u001b')
  })

  it.each(['Ctrl-C', 'a closed pipe'])('%s ends it with 0 and leaves nothing behind', { timeout: 60_000 }, async (how) => {
    const run = sfstream(['demo'], { TMPDIR })
    await run.out.until((text) => text.includes('platform-event'))
    if (how === 'Ctrl-C') run.kill('SIGINT')
    else run.stopReading()
    expect(await run.status).toBe(0)
    expect(run.err.text).toBe('')
  })
})
