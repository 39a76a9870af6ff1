import { createClient, type ReplayStore, type StreamEvent, type StreamingClient, StreamingObject } from '@sfstream/cloudflare'

interface Env {
  accessToken: string
  instanceUrl: string
  sinkUrl: string
  ORDERS: { idFromName(name: string): unknown; get(id: unknown): { fetch(request: Request): Promise<Response> } }
}

export class OrdersObject extends StreamingObject<Env> {
  protected override readonly everyMs = 500
  protected readonly channels = ['/event/Order_Event__e']

  /** The end of an object at any moment, as a deployment or a crash brings it: nothing of it is asked. */
  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === '/abort') (this.ctx as unknown as { abort(reason: string): never }).abort('evicted')
    return super.fetch(request)
  }

  protected connect(replayStore: ReplayStore): StreamingClient {
    const { accessToken, instanceUrl } = this.env
    return createClient({ auth: { accessToken, instanceUrl }, replayStore })
  }

  protected async handle(event: StreamEvent): Promise<void> {
    const response = await fetch(this.env.sinkUrl, { method: 'POST', body: JSON.stringify(event.payload) })
    if (!response.ok) throw new Error(`the sink answered ${response.status}`)
    await response.text()
  }
}

// biome-ignore lint/style/noDefaultExport: a Worker's handlers are its default export
export default {
  fetch: (request: Request, { ORDERS }: Env): Promise<Response> => ORDERS.get(ORDERS.idFromName('orders')).fetch(request),
}
