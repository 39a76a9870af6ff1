import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { checkServerOptions } from './check-options.ts'
import { createMockOrg, type MockOrg, type MockOrgOptions } from './mock-org.ts'
import { answerNodeRequest } from './node-request.ts'

export interface MockOrgServerOptions extends Omit<MockOrgOptions, 'instanceUrl' | 'loginUrl' | 'siteUrl'> {
  /** Default 127.0.0.1: nobody else on the network reaches it. */
  host?: string
  /** Default 0: any free one. */
  port?: number
  /** The login host's port. Default 0: any free one. */
  loginPort?: number
}

export interface MockOrgServer {
  /** The instance: CometD, REST, and logins, as a My Domain. */
  readonly url: string
  /** The login host, which has no CometD and no client credentials. */
  readonly loginUrl: string
  readonly org: MockOrg
  /** Breaks every connection and stops listening. */
  close(): Promise<void>
}

/**
 * The org as an HTTP server. Plain `node:http`: faults break the socket before, amid and after a body, and no adapter
 * between gives the socket away.
 *
 * @throws MockOrgError for an option that it does not know, and for one that cannot be
 */
export async function startMockOrgServer(options: MockOrgServerOptions = {}): Promise<MockOrgServer> {
  checkServerOptions(options)
  const { host = '127.0.0.1', port = 0, loginPort = 0, ...rest } = options
  let org: MockOrg | undefined
  const handler = (own: () => string) => (request: IncomingMessage, response: ServerResponse) => {
    if (org) void answerNodeRequest(org, own(), request, response)
    else response.destroy()
  }
  let url = ''
  let loginUrl = ''
  const instance = await listen(
    host,
    port,
    handler(() => url),
  )
  const login = await listen(
    host,
    loginPort,
    handler(() => loginUrl),
  ).catch(async (error: unknown) => {
    await closed(instance)
    throw error
  })
  url = origin(host, instance)
  loginUrl = origin(host, login)
  // The same server under another name: where the org is found after a migration.
  const moved = `http://localhost:${(instance.address() as AddressInfo).port}`
  try {
    org = createMockOrg({ migrationUrl: moved, ...rest, instanceUrl: url, loginUrl })
  } catch (error) {
    await Promise.all([closed(instance), closed(login)])
    throw error
  }
  return {
    url,
    loginUrl,
    org,
    async close() {
      org?.faults.cutConnections()
      await Promise.all([closed(instance), closed(login)])
    },
  }
}

function listen(host: string, port: number, handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(handler)
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}

function origin(host: string, server: Server): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${(server.address() as AddressInfo).port}`
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
