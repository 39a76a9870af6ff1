import { expect, type Page } from '@playwright/test'
import type { OrgHost } from '../../src/host/org-host.ts'
import { backgroundTest as test } from './background-test.ts'

// Chromium lets the timers of a hidden page run once a second; after a while those that set one another going, five and more in a row,
// once a minute.

const channel = '/event/Order_Event__e'
const began = Date.now()
/** A second without timers is a minute without timers to a client and an org whose clock is so fast. */
const speed = 60

test.use({
  script: `
    import { createClient } from '@sfstream/browser'
    window.numbers = []
    window.errors = []
    window.beats = []
    const beat = () => {
      window.beats.push(performance.now())
      setTimeout(beat, 100)
    }
    beat()
    const fast = {
      now: () => ${began} + (Date.now() - ${began}) * ${speed},
      delay: (callback, delayMs) => {
        const timer = setTimeout(callback, delayMs / ${speed})
        return () => clearTimeout(timer)
      },
    }
    const client = createClient({ auth: window.session, ...(location.search === '?fast' && { platform: fast }) })
    const watch = async () => { for await (const { error } of client.status()) if (error) window.errors.push(error.message) }
    watch()
    const subscription = client.subscribe('${channel}')
    subscription.ready.then(() => { window.ready = true })
    for await (const { payload } of subscription) window.numbers.push(payload.Number__c)
  `,
})

/** Publishes the next ones; resolves when the page has had all up to there, once and in order. */
function orders(host: OrgHost, page: Page): (count: number) => Promise<void> {
  let published = 0
  return (count) => {
    for (let each = 0; each < count; each++) host.org.publish(channel, { Number__c: ++published })
    return expect.poll(() => page.evaluate('window.numbers')).toEqual(Array.from({ length: published }, (_, at) => at + 1))
  }
}

/** Waits until a timer of 50 ms, set as soon as the one before has run, takes almost a second. */
const oncePerSecond = (page: Page): Promise<void> => {
  const takenMs = 'new Promise((resolve, _, from = performance.now()) => setTimeout(() => resolve(performance.now() - from), 50))'
  return expect.poll(() => page.evaluate(takenMs), { intervals: [1] }).toBeGreaterThan(700)
}

test('events come to a hidden page whose timers stand still, lost sessions and broken connections are mended, and nothing is lost', async ({
  host,
  open,
  hide,
}) => {
  const page = await open()
  const publish = orders(host, page)
  await publish(2)
  await hide(page)
  await oncePerSecond(page)
  await expect.poll(() => page.evaluate('performance.now() - window.beats.at(-1)')).toBeGreaterThan(4_000)
  const beats = (await page.evaluate('window.beats.length')) as number

  await publish(1)
  await publish(200)
  host.org.faults.loseSessions()
  await publish(3)
  host.org.faults.cutConnections()
  await publish(3)
  // The session ends while nobody polls, as when the network was gone for a while.
  const back = host.org.faults.offline()
  host.org.faults.cutConnections()
  await expect.poll(() => page.evaluate('window.errors.length')).toBeGreaterThan(0)
  host.org.faults.loseSessions()
  back()
  await publish(3)
  // All that without its timer: the minute may have been full once.
  expect(await page.evaluate('window.beats.length')).toBeLessThanOrEqual(beats + 1)

  await page.bringToFront()
  await publish(3)
  await expect.poll(() => page.evaluate('window.beats.length')).toBeGreaterThan(beats + 10)
  expect(host.org.inspect.handshakes).toBe(3)
  expect(host.org.inspect.maxConcurrentConnects).toBe(1)
})

test.describe('where a minute passes in a second', () => {
  test.use({
    orgOptions: {
      clock: {
        now: () => began + (Date.now() - began) * speed,
        delay: (callback, delayMs) => {
          const timer = setTimeout(callback, Math.max(0, delayMs) / speed)
          return () => clearTimeout(timer)
        },
        random: Math.random,
      },
    },
  })

  test('polls of a hidden page whose timers run once a minute are not taken for those of a machine that slept', async ({
    host,
    open,
    hide,
  }) => {
    const page = await open('?fast')
    const publish = orders(host, page)
    // Sooner than was told: at such a speed the 20 s that a deadline leaves are nothing to a machine that is busy.
    host.org.switches.holdMs = 90_000
    await hide(page)
    await oncePerSecond(page)
    const connects = (): number => host.org.inspect.sessions.reduce((sum, session) => sum + session.connects, 0)
    const before = connects()
    await expect.poll(connects).toBeGreaterThan(before + 4)
    await publish(3)
    expect(await page.evaluate('window.errors')).toEqual([])
  })
})
