import { post } from './bare-http.ts'
import { bareLoop, type Message } from './bare-loop.ts'

/** The loop that users write: what `for await` itself costs, with the least that an iterator can be behind it. */
export const connect = bareLoop(post, async (messages, onEvent) => {
  for await (const { data } of oneByOne(messages)) if (data) onEvent(data.payload)
})

function oneByOne(messages: readonly Message[]): AsyncIterable<Message> {
  let at = 0
  const next = (): Promise<IteratorResult<Message>> => {
    const value = messages[at++]
    return Promise.resolve(value ? { value, done: false } : { value: undefined, done: true })
  }
  return { [Symbol.asyncIterator]: () => ({ next }) }
}
