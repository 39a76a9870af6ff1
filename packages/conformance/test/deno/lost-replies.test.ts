import type { ServerResponse } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { startDeno } from '../runtimes/runtime-process.ts'
import { noticeBoard } from '../servers/notice-board.ts'
import { orderEvent, type RawServer, rawServer } from '../servers/raw-server.ts'

const channel = '/event/Order__e'
const limitMs = 20_000

interface Bench {
  server: RawServer
  events(): number[]
  /** Answers the poll that is held, or breaks its connection. */
  answer(how: (response: ServerResponse, reply: string) => void): Promise<void>
  until(what: string, check: () => boolean): Promise<void>
  /** The ports that requests came from: one for each connection. */
  readonly ports: (number | undefined)[]
}

/** A bare server that notes which connection each request came by, and a client in Deno. */
async function startBench(whose: 'own' | 'adapter'): Promise<Bench> {
  const board = noticeBoard()
  const ports: (number | undefined)[] = []
  const server = await rawServer(board, (seen, { friendly }) =>
    seen.what === 'connect' && !seen.messages[0]?.advice
      ? undefined
      : (response) => {
          ports.push(response.socket?.remotePort)
          response.end(JSON.stringify(friendly(seen)))
        },
  )
  const flags = [`--allow-net=127.0.0.1:${server.port}`]
  const client = startDeno('deno/programs/lost-replies.mjs', [server.url, channel, whose], flags, { onOutput: board.changed })
  onTestFinished(async () => {
    client.kill('SIGKILL')
    await client.ended
  })
  const until = (what: string, check: () => boolean): Promise<void> =>
    board.until(what, check, limitMs).catch((error: Error) => {
      throw new Error(`${error.message}\n${client.out}`)
    })
  return {
    server,
    ports,
    until,
    events: () => [...client.out.matchAll(/^event (\d+)$/gm)].map(([, number]) => Number(number)),
    async answer(how) {
      await until('a held poll', () => server.held === 1)
      server.answerPoll((response, seen) => {
        ports.push(response.socket?.remotePort)
        how(response, JSON.stringify(server.friendly(seen)))
      })
    },
  }
}
const send =
  (...numbers: number[]) =>
  (response: ServerResponse, reply: string): void =>
    void response.end(JSON.stringify([...numbers.map((number) => orderEvent(number)), ...JSON.parse(reply)]))
const pollsSent = ({ server }: Bench): unknown[] => server.of('connect').map(({ messages: [poll] }) => `${poll?.clientId} ${poll?.id}`)

test('a connection that is reset before the headers: no poll is sent twice, and the channel is subscribed after the last event', async () => {
  const bench = await startBench('adapter')
  await bench.answer(send(1, 2))
  for (const [at, breakOff] of [
    (response: ServerResponse) => void response.socket?.resetAndDestroy(),
    (response: ServerResponse) => void response.socket?.destroy(),
  ].entries()) {
    await bench.answer(breakOff)
    await bench.until('a new subscription', () => bench.server.of('subscribe').length === 2 + at)
    expect(bench.server.of('subscribe').at(-1)?.messages[0]).toMatchObject({ ext: { replay: { [channel]: 2 + at } } })
    await bench.answer(send(3 + at))
    await bench.until('its event', () => bench.events().at(-1) === 3 + at)
  }
  expect(bench.events()).toEqual([1, 2, 3, 4])
  const polls = pollsSent(bench)
  expect(new Set(polls).size).toBe(polls.length)
  // What it costs: no connection serves twice.
  expect(new Set(bench.ports).size).toBe(bench.ports.length)
})

test("Deno's own fetch sends the poll again on a new connection, and tells nobody", async () => {
  const bench = await startBench('own')
  await bench.answer(send(1, 2))
  await bench.answer((response) => void response.socket?.resetAndDestroy())
  await bench.answer(send(3))
  await bench.until('an event', () => bench.events().at(-1) === 3)
  const polls = pollsSent(bench)
  expect(polls.length - new Set(polls).size).toBe(1)
  expect(bench.server.of('subscribe')).toHaveLength(1)
  expect(new Set(bench.ports).size).toBe(2)
})
