import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import type { BayeuxMessage } from '@sfstream/core'
import { describe, expect, it } from 'vitest'
import { platformEvent, type SeenRequest } from '../../../core/test/support/scripted-org.ts'
import { noticeBoard } from '../servers/notice-board.ts'
import { orderEvent, rawServer } from '../servers/raw-server.ts'
import { testClient } from '../servers/test-client.ts'
import { channel, type HostileRig, type Hostility, withHostileOrg } from './hostile-rig.ts'

const megabyte = 1024 * 1024
const capBytes = 64 * megabyte
const encoder = new TextEncoder()
const isHeldPoll = ({ what, messages }: SeenRequest): boolean => what === 'connect' && !messages[0]?.advice

/** The first held poll is answered with this body, everything else by a friendly org. */
function onePoll(body: (request: SeenRequest, friendly: BayeuxMessage[]) => BodyInit): Hostility {
  let answered = false
  return (request, org) => {
    if (answered || !isHeldPoll(request)) return undefined
    answered = true
    return new Response(body(request, org.friendly(request)))
  }
}

/** A body of `head`, then `filler` without end, made only as it is read. */
function endless(head: string, filler: string): { body: ReadableStream<Uint8Array>; taken: { bytes: number; cancelled: boolean } } {
  const piece = encoder.encode(filler.repeat(Math.ceil(megabyte / filler.length)))
  const taken = { bytes: 0, cancelled: false }
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const next = taken.bytes === 0 ? encoder.encode(head) : piece
        taken.bytes += next.byteLength
        if (taken.bytes > 200 * megabyte) throw new Error('nobody stops reading')
        controller.enqueue(next)
      },
      cancel() {
        taken.cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { body, taken }
}

function heapAfterGc(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  return process.memoryUsage().heapUsed
}

const whole = JSON.stringify([1, 2].map((id) => platformEvent(id))).slice(0, -1)
const ids = ({ reading }: HostileRig): unknown[] => reading.ids.filter((id) => Number(id) < 1_000_000)

describe('bodies without measure', () => {
  it.each([
    ['white space', '[', ' '],
    ['brackets', '[', '['],
    ['zeros', '[', '0,'],
    ['backslashes in a text', `${whole},{"channel":"/u/x","data":"`, '\\\\'],
    ['a second message without end', `${whole},{"channel":"/u/x","data":"`, 'x'],
  ])('100 MB of %s are cut at 64 MB, and nothing of them is kept', async (_, head, filler) => {
    const { body, taken } = endless(head, filler)
    const before = heapAfterGc()
    await withHostileOrg(
      onePoll(() => body),
      { times: 4 },
      (rig) => {
        expect(taken.cancelled).toBe(true)
        expect(taken.bytes).toBeGreaterThan(capBytes)
        expect(taken.bytes).toBeLessThanOrEqual(capBytes + 2 * megabyte)
        expect(rig.reading.over).toBe(false)
        // What came whole is delivered, once; the last of it may belong to a group that was cut, and be asked for again.
        if (head.startsWith(whole)) expect([[1], [1, 2]]).toContainEqual(ids(rig))
        expect(heapAfterGc() - before, 'kept in memory').toBeLessThan(8 * megabyte)
      },
    )
  })

  it('a single message without end is message_too_large', async () => {
    const { body, taken } = endless(`[{"channel":"${channel}","data":"`, 'x')
    await withHostileOrg(
      onePoll(() => body),
      { times: 4 },
      async ({ reading }) => {
        expect(await reading.ended).toMatchObject({ name: 'ProtocolError', code: 'message_too_large' })
        expect(taken.cancelled).toBe(true)
      },
    )
  })

  it('a million pieces of one byte cost no more memory than their text', async () => {
    let left = 1_000_000
    const piece = encoder.encode(' ')
    let most = 0
    const before = heapAfterGc()
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (left-- > 0) return controller.enqueue(piece)
          most = heapAfterGc() - before
          controller.enqueue(encoder.encode('[]'))
          controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    await withHostileOrg(
      onePoll(() => body),
      { times: 4 },
    )
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThan(8 * megabyte)
  })

  it.each([
    ['stands still', Number.POSITIVE_INFINITY, 30_000],
    ['drips for ever', 20_000, 600_000],
  ])('a body that %s is given up', async (_, everyMs, givenUpMs) => {
    let clock: HostileRig['clock'] | undefined
    let startedAt = 0
    let cancelledAt = 0
    const hostility = onePoll(({ atMs }) => {
      startedAt = atMs
      return new ReadableStream<Uint8Array>({
        start(controller) {
          const drip = (): void => {
            if (cancelledAt > 0) return
            controller.enqueue(encoder.encode(' '))
            if (everyMs < Number.POSITIVE_INFINITY) clock?.delay(drip, everyMs)
          }
          drip()
        },
        cancel() {
          cancelledAt = clock?.now() ?? 0
        },
      })
    })
    await withHostileOrg(hostility, {
      times: 4,
      begun(given) {
        clock = given
      },
    })
    expect(cancelledAt - startedAt).toBeGreaterThanOrEqual(givenUpMs - 1_000)
    expect(cancelledAt - startedAt).toBeLessThanOrEqual(givenUpMs + 16_000)
  })

  it('a gzip bomb is cut by what it decodes to', async () => {
    const board = noticeBoard()
    const server = await rawServer(board)
    const { client, read, reports } = testClient(board, server.url)
    const subscription = client.subscribe(channel)
    const reading = read(subscription)
    await subscription.ready
    await board.until('poll', () => server.held === 1)
    // 300 KB on the wire.
    const member = gzipSync(Buffer.alloc(megabyte, ' '))
    const bomb = Buffer.concat([gzipSync('['), ...Array.from({ length: 300 }, () => member)])
    const before = heapAfterGc()
    server.answerPoll((response) => void response.setHeader('content-encoding', 'gzip').end(bomb))
    await board.until('polls again', () => server.held === 1 && server.of('subscribe').length === 2)
    expect(reports('retry').map(({ error }) => error.code)).toEqual(['network'])
    expect(heapAfterGc() - before).toBeLessThan(16 * megabyte)
    server.push(orderEvent(1))
    await board.until('event', () => reading.events.length === 1)
  })
})

describe('bodies that are strange inside', () => {
  const deep = (levels: number): string => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`
  const withEvent = (payload: string, friendly: BayeuxMessage[], extra = ''): string =>
    `[{"channel":"${channel}","data":{"event":{"replayId":7},"payload":${payload}}${extra}},${JSON.stringify(friendly).slice(1)}`

  it.each([
    ['a payload of 100,000 levels', (friendly) => withEvent(deep(100_000), friendly)],
    ['advice, ext and data of 100,000 levels', (friendly) => withEvent('1', friendly, `,"advice":${deep(1e5)},"ext":${deep(1e5)}`)],
    [
      'a payload of a million keys',
      (friendly) => withEvent(`{${Array.from({ length: 1e6 }, (_, at) => `"k${at}":1`).join(',')}}`, friendly),
    ],
    ['a text of 10 MB', (friendly) => withEvent(JSON.stringify('x'.repeat(1e7)), friendly)],
    ['a number of a million digits', (friendly) => withEvent('9'.repeat(1e6), friendly)],
    ['a million keys that are the same', (friendly) => withEvent(`{${'"k":1,'.repeat(1e6)}"k":2}`, friendly)],
    [
      'prototype keys',
      (friendly) => withEvent('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1,"then":1}', friendly),
    ],
  ] as [string, (friendly: BayeuxMessage[]) => string][])('%s: the event is delivered as it came', async (_, body) => {
    await withHostileOrg(
      onePoll((_request, friendly) => body(friendly)),
      { times: 4 },
      (rig) => {
        expect(ids(rig)).toEqual([7])
        expect(rig.statuses.filter(({ type }) => type === 'retry')).toEqual([])
      },
    )
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('prototype keys arrive as keys', async () => {
    const payload = '{"__proto__":{"a":1},"constructor":2,"hasOwnProperty":3}'
    await withHostileOrg(
      onePoll((_request, friendly) => withEvent(payload, friendly)),
      { times: 4 },
      ({ reading }) => {
        expect(JSON.stringify(reading.events.find(({ replayId }) => replayId === 7)?.payload)).toBe(payload)
      },
    )
  })

  it.each<[string, number[], string]>([
    ['a lone continuation byte', [0x80], '\uFFFD'],
    ['an overlong slash', [0xc0, 0xaf], '\uFFFD\uFFFD'],
    ['half a character', [0xe2, 0x82], '\uFFFD'],
    ['a surrogate', [0xed, 0xa0, 0x80], '\uFFFD\uFFFD\uFFFD'],
    ['a byte order mark within', [0xef, 0xbb, 0xbf], '\uFEFF'],
  ])('%s becomes a replacement character and harms nothing', async (_, bytes, expected) => {
    const hostility = onePoll((_request, friendly) => {
      const [head, tail] = withEvent('"<>"', friendly).split('<') as [string, string]
      return new Uint8Array([...encoder.encode(`${head}<`), ...bytes, ...encoder.encode(tail)])
    })
    await withHostileOrg(hostility, { times: 4 }, ({ reading }) => {
      expect(reading.events.find(({ replayId }) => replayId === 7)?.payload).toBe(`<${expected}>`)
    })
  })

  it.each([
    ['UTF-16', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['two byte order marks', (text: string) => Buffer.from(`\uFEFF\uFEFF\uFEFF${text}`)],
    ['NULs', (text: string) => Buffer.from(`\0${text}\0`)],
  ])('%s is no reply, and the next one is read', async (_, encode) => {
    await withHostileOrg(
      onePoll((_request, friendly) => new Uint8Array(encode(JSON.stringify(friendly)))),
      { times: 4 },
      ({ statuses }) => {
        expect(statuses.flatMap((status) => (status.type === 'retry' ? [status.error.code] : []))).toEqual(['bad_reply'])
      },
    )
  })

  it.each([
    ['numbers', '1,'],
    ['nulls', 'null,'],
    ['empty messages', '{},'],
    ['empty replies', '{"channel":"/meta/x"},'],
    ['events for nobody', '{"channel":"/u/x","data":1},'],
  ])('300,000 %s in one reply', async (_, each) => {
    await withHostileOrg(
      onePoll((_request, friendly) => `[${each.repeat(300_000)}${JSON.stringify(friendly).slice(1)}`),
      { times: 4 },
      (rig) => {
        expect(rig.statuses.length, 'statuses kept').toBeLessThan(2_000)
      },
    )
  })
})
