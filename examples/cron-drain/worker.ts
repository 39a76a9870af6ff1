// Every trigger works off what has come since the last one, and ends.
import { clientCredentials, drain, type KvNamespace, kvReplayStore } from '@sfstream/cloudflare'

interface Env {
  POSITIONS: KvNamespace
  SF_LOGIN_URL: string
  SF_CLIENT_ID: string
  SF_CLIENT_SECRET: string
  SF_CHANNEL: string
  /** Where each payload is posted. */
  TARGET_URL: string
}

// biome-ignore lint/style/noDefaultExport: a Worker's handlers are its default export
export default {
  async scheduled(_controller: unknown, env: Env): Promise<void> {
    const auth = clientCredentials({ loginUrl: env.SF_LOGIN_URL, clientId: env.SF_CLIENT_ID, clientSecret: env.SF_CLIENT_SECRET })
    const reports = await drain(
      { auth, replayStore: kvReplayStore(env.POSITIONS) },
      {
        channels: [env.SF_CHANNEL],
        async handle({ payload }) {
          const response = await fetch(env.TARGET_URL, { method: 'POST', body: JSON.stringify(payload) })
          // Thrown, it ends the drain; the event comes again with the next trigger.
          if (!response.ok) throw new Error(`${env.TARGET_URL} answered ${response.status}`)
          await response.text()
        },
        // A post is a subrequest, and an invocation has 1,000.
        until: { maxEvents: 400, idleMs: 1_000 },
      },
    )
    console.log(JSON.stringify(reports))
  },
}
