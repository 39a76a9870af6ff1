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
  /** Whoever knows it may begin and stop. */
  CONTROL_SECRET: string
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

/** Digests are compared: how long it takes says nothing about the secret. Without a secret nobody passes. */
async function isOperator(request: Request, secret: string | undefined): Promise<boolean> {
  if (!secret) return false
  const digest = async (text: string) => new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  const [given, wanted] = await Promise.all([digest(request.headers.get('authorization') ?? ''), digest(`Bearer ${secret}`)])
  return given.every((byte, at) => byte === wanted[at])
}

// biome-ignore lint/style/noDefaultExport: a Worker's handlers are its default export
export default {
  async fetch(request: Request, { LIVE, SF_CHANNEL, CONTROL_SECRET }: Env): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/') return new Response(page(SF_CHANNEL), { headers: { 'content-type': 'text/html; charset=utf-8' } })
    const isControl = ['/start', '/stop', '/status'].includes(pathname)
    // The object itself asks nobody: its requests are for you alone.
    if (isControl && !(await isOperator(request, CONTROL_SECRET))) return new Response('unauthorized', { status: 401 })
    if (isControl || ['/events', '/seen'].includes(pathname)) return LIVE.get(LIVE.idFromName('live')).fetch(request)
    return new Response('not found', { status: 404 })
  },
}
