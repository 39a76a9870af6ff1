import type { Connect } from './bench-client.ts'
import type { ClientName } from './client-names.ts'

/** Imports the one client that this process is for. */
export async function loadClient(name: ClientName): Promise<Connect> {
  const { connect } = (await import(`./${name}.ts`)) as { connect: Connect }
  return connect
}
