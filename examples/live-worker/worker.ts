// One Durable Object holds the session and counts what it has seen; every page reads from it.
import {
  clientCredentials,
  createClient,
  type ObjectState,
  RelayObject,
  type ReplayStore,
  type StreamEvent,
  type StreamingClient,
} from '@sfstream/cloudflare'
import { page } from './page.ts'

interface Env {
  LIVE: { idFromName(name: string): unknown; get(id: unknown): { fetch(request: Request): Promise<Response> } }
  SF_LOGIN_URL: string
  SF_CLIENT_ID: string
  SF_CLIENT_SECRET: string
  SF_CHANNEL: string
}

export class LiveObject extends RelayObject<Env> {
  protected readonly channels: readonly string[]

  constructor(ctx: ObjectState, env: Env) {
    super(ctx, env)
    this.channels = [env.SF_CHANNEL]
  }

  protected connect(replayStore: ReplayStore): StreamingClient {
    const { SF_LOGIN_URL: loginUrl, SF_CLIENT_ID: clientId, SF_CLIENT_SECRET: clientSecret } = this.env
    return createClient({ auth: clientCredentials({ loginUrl, clientId, clientSecret }), replayStore })
  }

  /** Look at your own session cookie here: whoever passes sees every event. */
  protected authorize(): boolean {
    return true
  }

  /** What is to be done once for all, whether anybody looks or not. */
  protected override async handle(_event: StreamEvent): Promise<void> {
    const seen = Number((await this.ctx.storage.get('seen')) ?? 0)
    await this.ctx.storage.put('seen', String(seen + 1))
  }

  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === '/seen') return new Response(String((await this.ctx.storage.get('seen')) ?? 0))
    return super.fetch(request)
  }
}

// biome-ignore lint/style/noDefaultExport: a Worker's handlers are its default export
export default {
  fetch(request: Request, { LIVE, SF_CHANNEL }: Env): Promise<Response> | Response {
    const { pathname } = new URL(request.url)
    if (pathname === '/') return new Response(page(SF_CHANNEL), { headers: { 'content-type': 'text/html; charset=utf-8' } })
    // Of the object's own requests: to begin and to stop are for you alone, behind a check of your own.
    if (['/events', '/seen', '/start', '/stop', '/status'].includes(pathname)) return LIVE.get(LIVE.idFromName('live')).fetch(request)
    return new Response('not found', { status: 404 })
  },
}
