import { createRelay } from '@sfstream/relay'
import { expect, test } from 'vitest'
import { relayBench } from './relay-bench.ts'

const topic = '/topic/InvoiceStatementUpdates'
const open = `${topic}?Status__c='Open'`

// An event names its channel without the filter. In one session those of one filter would reach the readers of the other, whom
// `authorize` was asked about another channel for; and a page that asks for both would get all in one loop and nothing in the other.
test.each([
  ['two filters of one topic', [open, `${topic}?Status__c='Closed'`]],
  ['a topic and a filter of it', [open, topic]],
  ['a channel and a wildcard over it', ['/u/*', '/u/notifications']],
  ['a wildcard over another', ['/u/a/**', '/u/**']],
])('channels whose events cannot be told apart are refused: %s', (_, channels) => {
  const connect = (): never => {
    throw new Error('not called')
  }
  expect(() => createRelay({ connect, channels, authorize: () => true })).toThrow(
    expect.objectContaining({ code: 'bad_option', message: expect.stringContaining('cannot be told from') }),
  )
})

test('with a filter of its own each relay brings what its filter lets through, and a channel may be named twice', async () => {
  const closed = relayBench({ channels: [`${topic}?Status__c='Closed'`, '/u/notifications', '/u/notificationsOther', '/u/notifications'] })
  const got: unknown[] = []
  const browser = closed.browser()
  void (async () => {
    for await (const event of browser.client.subscribe<{ Name: string }>(`${topic}?Status__c='Closed'`)) got.push(event.payload.Name)
  })()
  await closed.clock.advance(5_000)
  for (const [Name, Status__c] of [
    ['a', 'Open'],
    ['b', 'Closed'],
    ['c', 'Closed'],
  ])
    closed.org.publish(topic, { Id: `a00${Name}`, Name, Status__c })
  await closed.clock.runUntil(() => got.length === 2)
  expect(got).toEqual(['b', 'c'])
  await browser.client.stop()
  await closed.relay.close()
})
