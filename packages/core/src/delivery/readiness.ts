import { type Deferred, deferred } from '../async/deferred.ts'

/** A promise whose first outcome counts, and which costs little where nobody asks for it. */
export class Readiness {
  #promise: Promise<void> | undefined
  /** Whoever asked, while it is not known. */
  #asked: Deferred<void> | undefined

  get promise(): Promise<void> {
    if (!this.#promise) {
      this.#asked = deferred()
      this.#promise = this.#asked.promise
    }
    return this.#promise
  }

  tell(how: (caller: Deferred<void>) => void): void {
    if (this.#promise && !this.#asked) return
    const caller = this.#asked ?? deferred<void>()
    how(caller)
    this.#promise = caller.promise
    this.#asked = undefined
  }
}
