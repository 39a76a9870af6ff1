import { createMockOrg, virtualClock } from '@sfstream/mock-org'
import { describe, expect, it } from 'vitest'
import { dataOf, rawClient } from './raw-client.ts'

function orgInVirtualTime(options: Parameters<typeof createMockOrg>[0] = {}) {
  const clock = virtualClock()
  return { clock, org: createMockOrg({ clock, ...options }) }
}

describe('the CometD endpoint', () => {
  it('S01 shakes hands without advice, answers the first connect at once with advice, and holds later ones for 110 s', async () => {
    const { clock, org } = orgInVirtualTime()
    const client = rawClient(org)
    const reply = await client.handshake()
    expect(reply).toEqual({
      ext: { replay: true, 'payload.format': true },
      minimumVersion: '1.0',
      clientId: expect.stringMatching(/^[a-z0-9]{25,30}$/),
      supportedConnectionTypes: ['long-polling'],
      channel: '/meta/handshake',
      id: '1',
      version: '1.0',
      successful: true,
    })
    expect(await client.connect()).toEqual([
      {
        clientId: client.clientId,
        advice: { interval: 0, timeout: 110_000, reconnect: 'retry' },
        channel: '/meta/connect',
        id: '2',
        successful: true,
      },
    ])
    let held: unknown
    const start = clock.now()
    void client.connect().then((messages) => (held = messages))
    await clock.advance(109_999)
    expect(held).toBeUndefined()
    await clock.advance(1)
    expect(clock.now() - start).toBe(110_000)
    expect(held).toEqual([{ clientId: client.clientId, channel: '/meta/connect', id: '3', successful: true }])
  })

  it('S02 delivers an event on the held connect, before its reply, without id or clientId', async () => {
    const { clock, org } = orgInVirtualTime()
    const client = await rawClient(org).start()
    expect(await client.subscribe('/event/Low_Ink__e', -1)).toEqual({
      clientId: client.clientId,
      subscription: '/event/Low_Ink__e',
      channel: '/meta/subscribe',
      id: '3',
      successful: true,
    })
    const held = client.connect()
    await clock.settle()
    const event = org.publish('/event/Low_Ink__e', { Printer_Model__c: 'XZO-5' })
    const messages = await held
    expect(messages).toEqual([
      {
        data: {
          schema: expect.stringMatching(/^.{22}$/),
          payload: {
            CreatedDate: new Date(clock.now()).toISOString(),
            CreatedById: expect.any(String),
            Printer_Model__c: 'XZO-5',
            Serial_Number__c: null,
            Ink_Percentage__c: null,
          },
          event: { EventUuid: event.eventUuid, replayId: Number(event.replayId) },
        },
        channel: '/event/Low_Ink__e',
      },
      { clientId: client.clientId, channel: '/meta/connect', id: '4', successful: true },
    ])
    expect(org.inspect.deliveredTo(client.clientId).map((one) => one.replayId)).toEqual([event.replayId])
  })

  it.each([
    ['S03 -2', () => -2, 0],
    ['S03 -2 as text', () => '-2', 0],
    ['S04 the first id', (ids: number[]) => ids[0], 1],
    ['S04 the second id as text', (ids: number[]) => String(ids[1]), 2],
    ['S04 the last id', (ids: number[]) => ids[2], 3],
    ['-1', () => -1, 3],
    ['no extension', () => undefined, 3],
  ])('replays from %s what follows it, then goes on live', async (_name, replay, skipped) => {
    const { org, clock } = orgInVirtualTime()
    const ids = [1, 2, 3].map((number) => Number(org.publish('/event/Order_Event__e', { number }).replayId))
    const client = await rawClient(org).start()
    await client.subscribe('/event/Order_Event__e', replay(ids))
    const got = skipped === 3 ? [] : replayIds(await client.connect())
    const held = client.connect()
    await clock.settle()
    ids.push(Number(org.publish('/event/Order_Event__e', {}).replayId))
    got.push(...replayIds(await held))
    expect(got).toEqual(ids.slice(skipped))
  })
})

function replayIds(messages: Parameters<typeof dataOf>[0]): number[] {
  return dataOf(messages).map((message) => (message.data as { event: { replayId: number } }).event.replayId)
}

describe('the token endpoint', () => {
  it('takes client credentials on My Domain and refuses them on login hosts', async () => {
    const { org } = orgInVirtualTime()
    const { clientId, clientSecret } = org.credentials
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret })
    const reply = await org.fetch(`${org.url}/services/oauth2/token`, { method: 'POST', body })
    expect(await reply.json()).toMatchObject({ token_type: 'Bearer', instance_url: org.url, issued_at: expect.stringMatching(/^\d{13}$/) })
    const refused = await org.fetch(`${org.loginUrl}/services/oauth2/token`, { method: 'POST', body })
    expect(refused.status).toBe(400)
    expect(await refused.json()).toEqual({ error: 'invalid_grant', error_description: 'request not supported on this domain' })
  })

  it('rejects requests to other hosts as a network does', async () => {
    const { org } = orgInVirtualTime()
    await expect(org.fetch('https://elsewhere.example/')).rejects.toThrow(TypeError)
  })
})
