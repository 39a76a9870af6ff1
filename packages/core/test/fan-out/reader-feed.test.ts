import { expect, test } from 'vitest'
import { readerFeed, refusedPosition } from '../../src/fan-out/reader-feed.ts'
import type { Batch, StartPosition } from '../../src/source/source.ts'

const channel = '/data/ChangeEvents'
const open = (position: StartPosition = 'new') =>
  readerFeed({ channel, position, signal: new AbortController().signal, room: () => 1 }, () => {})
const message = (text: string) => ({ channel, data: text })
const batchesOf = (feed: ReturnType<typeof open>): unknown[][] => {
  const all: Batch[] = []
  for (let batch = feed.batches.take(); batch; batch = feed.batches.take()) all.push(batch)
  return all.map(({ messages }) => messages.map(({ data }) => data))
}

test('events of one replay id are handed on together; those of a stream that was cut amid them come again, once', () => {
  const feed = open()
  feed.receive(message('a'), 1, 10)
  feed.receive(message('b'), undefined, 10)
  feed.flush()
  expect(batchesOf(feed)).toEqual([['a']])
  expect(feed.position).toBe(1)
  feed.interrupt()
  feed.receive(message('b'), undefined, 10)
  feed.receive(message('c'), 2, 10)
  feed.flush()
  expect(batchesOf(feed)).toEqual([['b', 'c']])
  expect(feed.position).toBe(2)
})

test('what may be a repeat is marked from there on, and only there', () => {
  const feed = open()
  feed.receive(message('a'), 1, 10)
  feed.repeat()
  feed.receive(message('b'), 2, 10)
  feed.flush()
  feed.receive(message('c'), 3, 10)
  feed.flush()
  expect([feed.batches.take()?.repeats, feed.batches.take()?.repeats, feed.batches.take()?.repeats]).toEqual([undefined, true, undefined])
})

test('a refusal of what the feed has come to since is no refusal of where it began', () => {
  const feed = open('new')
  feed.receive(message('a'), 7, 10)
  expect(refusedPosition(feed, 'position-refused')).toBeUndefined()
})

test.each([
  [7, true],
  ['new', false],
  ['all', false],
  ['off', false],
] as const)('a refusal of %s is one by the org: %s', (position, isRefusal) => {
  expect(refusedPosition(open(position), 'no-position')?.code).toBe(isRefusal ? 'replay_refused' : undefined)
})
