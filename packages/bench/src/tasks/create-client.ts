import type { ClientOptions, StreamingClient } from '@sfstream/core'
import type { Sfstream } from '../clients/client-names.ts'

export type CreateClient = (options: ClientOptions) => StreamingClient

/** The one of our own that a process is for. */
export async function loadCreateClient(client: Sfstream): Promise<CreateClient> {
  return ((await import(`../clients/${client}.ts`)) as { createClient: CreateClient }).createClient
}
