/**
 * Visits values as `for await` does, one with each call; resolves with whether there was one. But `for await` keeps the last value until
 * the next one comes, which may be hours: here nothing is kept. Rejects with what the values end with, or what `visit` throws; `return()`
 * is not called: what the values come from has a signal. Whoever loops over it awaits in a function of its own, not in one more here.
 */
export function visits<T>(values: AsyncIterable<T>, visit: (value: T) => void): () => Promise<boolean> {
  const iterator = values[Symbol.asyncIterator]()
  const step = (result: IteratorResult<T>): boolean => {
    if (!result.done) visit(result.value)
    return !result.done
  }
  return () => iterator.next().then(step)
}
