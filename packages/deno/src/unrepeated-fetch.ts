import type { Platform } from '@sfstream/core'

/** The part of Deno that is used. */
interface HttpClients {
  createHttpClient?(options: { poolMaxIdlePerHost: number }): { close(): void }
}

/**
 * A `fetch` that sends each request once. Deno's own sends a request again, behind its caller's back, when a kept connection (HTTP/1.1)
 * is reset before the headers of the reply: the first reply's events would be lost unseen. So no connection is kept. An HTTP client per
 * request costs 0.02 ms to make, and can be closed as soon as the headers are in: what it leaves behind is nothing that would have to be
 * cleared away when a client stops, or that the checks of `Deno.test` would find. Undefined where this Deno has no HTTP clients.
 */
export function unrepeatedFetch(): Platform['fetch'] | undefined {
  const { Deno } = globalThis as { Deno?: HttpClients }
  if (!Deno?.createHttpClient) return undefined
  const createHttpClient = Deno.createHttpClient.bind(Deno)
  return async (input, init) => {
    const client = createHttpClient({ poolMaxIdlePerHost: 0 })
    try {
      return await fetch(input, { ...init, client } as RequestInit)
    } finally {
      client.close()
    }
  }
}
