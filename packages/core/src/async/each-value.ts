/**
 * Calls `visit` with each value, as `for await` does. But that keeps the last value until the next one comes, which may be hours: here
 * nothing is kept. Rejects with what the values end with, or what `visit` throws; then it does not call `return()`: what the values come
 * from has a signal.
 */
export async function eachValue<T>(values: AsyncIterable<T>, visit: (value: T) => void): Promise<void> {
  const iterator = values[Symbol.asyncIterator]()
  const step = (result: IteratorResult<T>): boolean => {
    if (!result.done) visit(result.value)
    return !result.done
  }
  while (await iterator.next().then(step)) {}
}
