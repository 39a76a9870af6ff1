import type { StreamEvent } from '../events/stream-event.ts'

/** An iterator as a stream that asks for nothing ahead. */
export function readableEvents<T>(events: AsyncIterator<StreamEvent<T>>): ReadableStream<StreamEvent<T>> {
  return new ReadableStream<StreamEvent<T>>(
    {
      async pull(controller) {
        const { done, value } = await events.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: () => void events.return?.(),
    },
    { highWaterMark: 0 },
  )
}
