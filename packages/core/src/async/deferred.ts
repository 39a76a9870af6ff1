/** A promise settled from outside. Its rejection counts as handled: whoever awaits it still sees it. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(reason: unknown): void
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}

export function resolved<T>(value: T): Deferred<T> {
  const settled = deferred<T>()
  settled.resolve(value)
  return settled
}
