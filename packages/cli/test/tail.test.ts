import { existsSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { channel, lines, type Stage, sfstream, sfstreamInto, stage } from './support.ts'

let org: Stage
beforeEach(async () => {
  org = await stage()
})
afterEach(() => org.leave())

const tail = (...args: string[]) => sfstream(['tail', channel, '--store', org.store, ...args], org.env)
const publish = (from: number, to: number): void => {
  for (let at = from; at <= to; at++) org.org.publish(channel, { Number__c: at })
}
const numbers = (text: string): number[] =>
  lines(text).map((line) => (JSON.parse(line) as { payload: { Number__c: number } }).payload.Number__c)
const count = (n: number) => (text: string) => lines(text).length >= n
const subscribed = (text: string) => text.includes('live')

describe('tail', () => {
  it('--until caught-up prints what is retained, one JSON object a line, and ends; the next run has nothing left', {
    timeout: 60_000,
  }, async () => {
    publish(1, 25)
    const first = tail('--replay', 'all', '--until', 'caught-up', '--json')
    expect(await first.status).toBe(0)
    expect(first.err.text).toBe('')
    expect(numbers(first.out.text)).toEqual(Array.from({ length: 25 }, (_, at) => at + 1))
    const event = JSON.parse(lines(first.out.text)[0]!) as Record<string, unknown>
    expect(Object.keys(event)).toEqual(['channel', 'kind', 'replayId', 'createdDate', 'eventUuid', 'payload'])
    expect(event).toMatchObject({ channel, kind: 'platform-event', replayId: Number(org.org.inspect.published(channel)[0]!.replayId) })
    publish(26, 27)
    const second = tail('--until', 'caught-up', '--json')
    expect(await second.status).toBe(0)
    expect(numbers(second.out.text)).toEqual([26, 27])
    expect(org.org.inspect.slots.used).toBe(0)
  })

  it.each(['auto', 'manual'])('--limit ends after so many, and the next run goes on after them (--commit %s)', async (commit) => {
    publish(1, 9)
    const first = tail('--replay', 'all', '--limit', '4', '--json', '--commit', commit)
    expect(await first.status).toBe(0)
    expect(numbers(first.out.text)).toEqual([1, 2, 3, 4])
    const second = tail('--limit', '5', '--json', '--commit', commit)
    expect(await second.status).toBe(0)
    expect(numbers(second.out.text)).toEqual([5, 6, 7, 8, 9])
  })

  it('a look at old events moves no position, unless the positions are named', { timeout: 60_000 }, async () => {
    publish(1, 4)
    const look = sfstream(['tail', channel, '--replay', 'all', '--limit', '3', '--json'], org.env, org.store)
    expect(await look.status).toBe(0)
    expect(numbers(look.out.text)).toEqual([1, 2, 3])
    const other = sfstream(['tail', channel, '--replay', 'all', '--limit', '2', '--json', '--consumer', 'looker'], org.env, org.store)
    expect(await other.status).toBe(0)
    const folder = join(org.store, '.sfstream/replay')
    const kept = await readdir(folder)
    expect(kept).toHaveLength(1)
    expect(await readFile(join(folder, kept[0]!), 'utf8')).toContain('looker')
  })

  it('--limit counts all channels together', async () => {
    publish(1, 3)
    org.org.publish('/u/Notices', 'a')
    const run = tail('/u/Notices', '--replay', 'all', '--limit', '3')
    expect(await run.status).toBe(0)
    expect(lines(run.out.text)).toHaveLength(3)
  })

  it('--replay ID begins after that event, --consumer has positions of its own', async () => {
    publish(1, 5)
    const id = org.org.inspect.published(channel)[2]!.replayId!
    const first = tail('--replay', id, '--limit', '1', '--json')
    expect(await first.status).toBe(0)
    expect(numbers(first.out.text)).toEqual([4])
    const other = tail('--replay', 'all', '--limit', '1', '--json', '--consumer', 'another')
    expect(await other.status).toBe(0)
    expect(numbers(other.out.text)).toEqual([1])
    const again = tail('--limit', '1', '--json')
    expect(await again.status).toBe(0)
    expect(numbers(again.out.text)).toEqual([5])
  })

  it('lines for people are plain in a pipe, coloured when asked for', async () => {
    publish(1, 1)
    const plain = tail('--replay', 'all', '--limit', '1')
    expect(await plain.status).toBe(0)
    expect(plain.out.text).toMatch(/^\d\d:\d\d:\d\d {2}\/event\/Order__e {2}platform-event {2}#\d+ {2}\{"Number__c":1,.*\}\n$/)
    const colored = sfstream(['tail', channel, '--replay', 'all', '--limit', '1', '--store', org.store], { ...org.env, FORCE_COLOR: '1' })
    expect(await colored.status).toBe(0)
    expect(colored.out.text).toContain('\u001b[')
  })

  it('Ctrl-C ends it with 0: positions are saved, the org is told goodbye', async () => {
    publish(1, 3)
    const run = tail('--replay', 'all', '--json')
    await run.out.until(count(3))
    run.kill('SIGINT')
    expect(await run.status).toBe(0)
    expect(run.err.text).toBe('')
    expect(org.org.inspect.slots.used).toBe(0)
    publish(4, 4)
    const next = tail('--limit', '1', '--json')
    expect(await next.status).toBe(0)
    expect(numbers(next.out.text)).toEqual([4])
  })

  it('a reader that goes away ends it with 0, silently; what it did not read comes again', async () => {
    publish(1, 1)
    const run = tail('--replay', 'all', '--json')
    await run.out.until(count(1))
    run.stopReading()
    let done = false
    const status = run.status.finally(() => {
      done = true
    })
    let next = 2
    // The pipe is seen to be broken when something is written to it.
    const timer = setInterval(() => {
      if (!done) publish(next, next++)
    }, 20)
    expect(await status).toBe(0)
    clearInterval(timer)
    expect(run.err.text).toBe('')
    const again = tail('--limit', '1', '--json')
    expect(await again.status).toBe(0)
    expect(numbers(again.out.text)).toEqual([2])
  })

  it('a reader that stands still does not hold up the end: what it did not read comes again', { timeout: 30_000 }, async () => {
    const text = 'x'.repeat(2_000)
    for (let at = 1; at <= 400; at++) org.org.publish(channel, { Number__c: at, Text__c: text })
    const run = tail('--replay', 'all', '--json')
    run.standStill()
    // Positions follow the lines: once they stand, the pipe is full.
    let before = ''
    const stands = async (): Promise<boolean> => {
      const [name] = (await readdir(org.store)).filter((file) => file.endsWith('.json'))
      const now = name === undefined ? '' : await readFile(join(org.store, name), 'utf8')
      const isSame = now !== '' && now === before
      before = now
      return isSame
    }
    await expect.poll(stands, { interval: 500, timeout: 15_000 }).toBe(true)
    run.kill('SIGTERM')
    expect(await run.exited).toBe(0)
    run.readOn()
    expect(await run.status).toBe(0)
    const last = numbers(run.out.text.slice(0, run.out.text.lastIndexOf('\n'))).at(-1) ?? 0
    expect(last).toBeLessThan(400)
    const next = tail('--replay', 'stored', '--limit', '1', '--json')
    expect(await next.status).toBe(0)
    expect(numbers(next.out.text)[0]).toBeGreaterThan(1)
    expect(numbers(next.out.text)[0]).toBeLessThanOrEqual(last + 1)
  })

  it('--commit manual: a kill repeats one line at most, and loses none', { timeout: 60_000 }, async () => {
    publish(1, 400)
    const seen: number[] = []
    let begin = ['--replay', 'all']
    for (let round = 0; round < 4; round++) {
      const run = tail(...begin, '--json', '--commit', 'manual')
      await run.out.until(count(3 + round * 5))
      run.kill('SIGKILL')
      expect(await run.status).toBe('SIGKILL')
      const complete = run.out.text.slice(0, run.out.text.lastIndexOf('\n'))
      const got = numbers(complete)
      const expected = (seen.at(-1) ?? 0) + 1
      expect([expected - 1, expected]).toContain(got[0])
      expect(got).toEqual(Array.from({ length: got.length }, (_, at) => got[0]! + at))
      seen.push(...got)
      begin = []
    }
  })

  it('--verbose tells on stderr what happens to the connection; stdout has events only', async () => {
    const run = tail('--json', '--verbose')
    await run.err.until(subscribed)
    await expect.poll(() => org.org.inspect.subscriptions[channel]).toBe(1)
    org.org.faults.loseSessions()
    await run.err.until((text) => text.includes('resubscribed'))
    publish(1, 1)
    await run.out.until(count(1))
    run.kill('SIGTERM')
    expect(await run.status).toBe(0)
    expect(numbers(run.out.text)).toEqual([1])
    expect(run.err.text).toContain('session lost -> new handshake')
  })
})

describe('what fails', () => {
  it('an unknown channel ends with 1, and says what the org said', async () => {
    const run = sfstream(['tail', '/topic/NoSuchTopic', '--store', org.store], org.env)
    expect(await run.status).toBe(1)
    expect(run.err.text).toContain('code: subscribe_refused')
    expect(run.err.text).toContain('/topic/NoSuchTopic')
    expect(run.err.text).not.toMatch(/^\s+at /m)
  })

  it('what the org says does not steer the terminal', async () => {
    org.org.faults.deny(channel, '403::No access \u001b[2J\u009b1m to it')
    for (const more of [[], ['--verbose']]) {
      const run = tail(...more)
      expect(await run.status).toBe(1)
      expect(run.err.text).toContain('No access')
      expect(run.err.text).not.toMatch(/(?!\n|\t)\p{Cc}/u)
    }
  })

  // A disk of that kind is everywhere but on Windows and macOS.
  it.runIf(existsSync('/dev/full'))('a disk that is full ends it with 1, says so, and the org is told goodbye', async () => {
    publish(1, 3)
    const run = sfstreamInto('/dev/full', ['tail', channel, '--store', org.store, '--replay', 'all', '--json'], org.env)
    expect(await run.status).toBe(1)
    expect(run.err.text).toMatch(/^Failed: ENOSPC: .*\n--verbose shows where\.\n$/)
    expect(org.org.inspect.slots.used).toBe(0)
    expect(await readdir(org.store)).toEqual([])
  })

  it('refused credentials end with 3, without printing them', async () => {
    const run = sfstream(['tail', channel, '--store', org.store, '--verbose'], { ...org.env, SF_CLIENT_SECRET: 'wrong-s3cr3t' })
    expect(await run.status).toBe(3)
    expect(run.err.text).toContain('code: login_refused')
    expect(run.err.text).not.toContain('wrong-s3cr3t')
  })

  it('a limit of the org ends a run that should end with 4', async () => {
    org.org.limits.concurrentClients = 0
    const run = tail('--until', 'caught-up')
    expect(await run.status).toBe(4)
    expect(run.err.text).toContain('code: client_limit')
  })

  it('a login host that is not there is not silent', async () => {
    const run = sfstream(['tail', channel, '--store', org.store], { ...org.env, SF_LOGIN_URL: 'http://127.0.0.1:1' })
    await run.err.until((text) => text.includes('failed (attempt 1)'))
    run.kill('SIGINT')
    expect(await run.status).toBe(0)
  })

  it('a stored position that is not JSON ends with 1, names the file, and leaves it as it is', async () => {
    publish(1, 1)
    expect(await tail('--replay', 'all', '--limit', '1').status).toBe(0)
    const [name = ''] = await readdir(org.store)
    const file = join(org.store, name)
    await writeFile(file, 'not JSON')
    const run = tail('--limit', '1')
    expect(await run.status).toBe(1)
    expect(run.err.text).toContain(file)
    expect(run.err.text).toContain('code: store_unreadable')
    expect(await readFile(file, 'utf8')).toBe('not JSON')
  })

  it('a store that is a file ends with 1 and leaves it as it is', async () => {
    const file = join(org.store, 'replay.json')
    await writeFile(file, '{}')
    const run = sfstream(['tail', channel, '--store', file], org.env)
    expect(await run.status).toBe(1)
    expect(run.err.text).toContain('code: store_unreadable')
    expect(await readFile(file, 'utf8')).toBe('{}')
  })

  it('positions that can no longer be saved are told at once, while events go on; the end is a 1', async () => {
    const run = tail('--json')
    await expect.poll(() => org.org.inspect.subscriptions[channel]).toBe(1)
    publish(1, 2)
    await run.out.until(count(2))
    // Once nothing is being saved any more.
    const last = org.org.inspect.published(channel)[1]!.replayId!
    const saved = async (): Promise<string> => {
      const names = await readdir(org.store)
      return names.length === 1 ? readFile(join(org.store, names[0]!), 'utf8') : ''
    }
    await expect.poll(saved).toContain(`"replayId":${last}`)
    await rm(org.store, { recursive: true })
    await writeFile(org.store, '')
    publish(3, 6)
    await run.err.until((text) => text.includes(org.store))
    await run.out.until(count(6))
    run.kill('SIGINT')
    expect(await run.status).toBe(1)
    expect(numbers(run.out.text)).toEqual([1, 2, 3, 4, 5, 6])
  })
})
