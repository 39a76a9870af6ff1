/**
 * Calls `visit` with each value, as `for await` does. But that keeps the last value until the next one comes, which may be hours: here
 * nothing is kept. Leaves the iterator when `visit` throws.
 */
export async function eachValue<T>(values: AsyncIterable<T>, visit: (value: T) => void): Promise<void> {
  const iterator = values[Symbol.asyncIterator]()
  const step = (result: IteratorResult<T>): boolean => {
    if (!result.done) visit(result.value)
    return !result.done
  }
  try {
    while (await iterator.next().then(step)) {}
  } catch (error) {
    await iterator.return?.()
    throw error
  }
}
