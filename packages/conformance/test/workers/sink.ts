import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Where Workers post what they handled. */
export interface Sink<T> {
  readonly url: string
  readonly posts: T[]
  /** Answers 500 while set. */
  broken: boolean
  close(): void
}

export async function startSink<T>(): Promise<Sink<T>> {
  const posts: T[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk) => {
      text += chunk
    })
    request.on('end', () => {
      if (!sink.broken) posts.push(JSON.parse(text) as T)
      response.writeHead(sink.broken ? 500 : 200).end('ok')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const sink: Sink<T> = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    posts,
    broken: false,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
  return sink
}
