import { drain, type KvNamespace, kvReplayStore } from '@sfstream/cloudflare'

interface Env {
  accessToken: string
  instanceUrl: string
  sinkUrl: string
  POSITIONS: KvNamespace
}

// biome-ignore lint/style/noDefaultExport: a Worker's handlers are its default export
export default {
  async scheduled(_: unknown, { accessToken, instanceUrl, sinkUrl, POSITIONS }: Env): Promise<void> {
    const numbers: unknown[] = []
    const [report] = await drain(
      { auth: { accessToken, instanceUrl }, replayStore: kvReplayStore(POSITIONS) },
      {
        channels: ['/event/Order_Event__e'],
        handle: ({ payload }) => numbers.push((payload as { Number__c: unknown }).Number__c),
        until: { maxEvents: 3_000, idleMs: 200, maxMs: 10_000 },
      },
    )
    await fetch(sinkUrl, { method: 'POST', body: JSON.stringify({ numbers, report }) })
  },
}
