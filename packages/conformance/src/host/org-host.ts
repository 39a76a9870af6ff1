import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createMockOrg, type MockOrg, type MockOrgOptions } from '@sfstream/mock-org'
import { answerNodeRequest } from '@sfstream/mock-org/node'
import { type Command, control } from './control.ts'

export interface OrgHost {
  /** The one origin of the org, of its control, and of the files served beside them: a page from here reaches /cometd without CORS. */
  readonly url: string
  /** The org of the case that is running. */
  readonly org: MockOrg
  /** Serves a file from now on. */
  serve(path: string, type: string, body: string): void
  close(): Promise<void>
}

/** A simulated org over HTTP that code on any runtime can drive: `POST /control` takes one command and answers with JSON. */
export async function startOrgHost(firstOptions?: MockOrgOptions): Promise<OrgHost> {
  const files = new Map<string, { type: string; body: string }>()
  let url = ''
  let org: MockOrg
  let seed = 0
  const begin = (options: MockOrgOptions = {}, firstReplayId?: string): void => {
    org?.faults.cutConnections()
    // The host name of the login host differs, the port does not: every login works on My Domain too.
    const replayIds = firstReplayId === undefined ? {} : { replayIds: { start: BigInt(firstReplayId) } }
    // Another seed each time: a client that a failed case left behind must not know the ids of the next one's sessions.
    org = createMockOrg({ seed: ++seed, ...replayIds, ...options, instanceUrl: url, loginUrl: url.replace('127.0.0.1', 'localhost') })
  }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? '/', url).pathname
    const file = files.get(path)
    if (file) {
      response.writeHead(200, { 'content-type': file.type, 'cache-control': 'no-cache' }).end(file.body)
    } else if (path === '/control') {
      try {
        const command = JSON.parse(await bodyOf(request)) as Command
        const value = command.call === 'reset' ? begin(...command.args) : await control(org, command)
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ value }))
      } catch (error) {
        response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ error: String(error) }))
      }
    } else {
      await answerNodeRequest(org, url, request, response)
    }
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  begin(firstOptions)
  return {
    url,
    get org() {
      return org
    },
    serve: (path, type, body) => void files.set(path, { type, body }),
    close: () =>
      new Promise((resolve) => {
        org.faults.cutConnections()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
