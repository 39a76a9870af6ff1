import { Agent, request } from 'node:http'
import { bareLoop, deadlineMs, type Post } from './bare-loop.ts'

const agent = new Agent({ keepAlive: true })

export const post: Post = (url, headers, body) =>
  new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', agent, headers: { ...headers, 'content-length': Buffer.byteLength(body) } })
    const timer = setTimeout(() => outgoing.destroy(new Error('deadline')), deadlineMs)
    const fail = (error: Error): void => {
      clearTimeout(timer)
      reject(error)
    }
    outgoing.on('error', fail)
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', fail)
      response.on('end', () => {
        clearTimeout(timer)
        const text = (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString()
        resolve({ text, cookie: () => response.headers['set-cookie']?.[0]?.split(';')[0] })
      })
    })
    outgoing.end(body)
  })

export const connect = bareLoop(post)
