/** The few assertions the suite needs, for runtimes that have no test framework. */

export function equal(actual: unknown, expected: unknown, what = 'value'): void {
  const [left, right] = [canonical(actual), canonical(expected)]
  if (left !== right) throw new Error(`${what}: expected ${right}, got ${left}`)
}

export function ok(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(what)
}

/** The error that `work` fails with, as plain fields to compare. */
export async function failure(work: Promise<unknown> | (() => unknown)): Promise<Error & Record<string, unknown>> {
  let value: unknown
  try {
    value = await (typeof work === 'function' ? work() : work)
  } catch (error) {
    return error as Error & Record<string, unknown>
  }
  throw new Error(`expected a failure, got ${canonical(value)}`)
}

/** Waits until `condition` holds, asking again and again: what it asks may be the org. */
export async function until(condition: () => unknown, what: string): Promise<void> {
  const limit = Date.now() + 15_000
  while (!(await condition())) {
    if (Date.now() > limit) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Settles within a second: what has to happen at once, on a machine that is busy. */
export async function promptly<T>(work: PromiseLike<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took over a second`)), 1_000)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part) => (part === undefined ? '(undefined)' : typeof part === 'bigint' ? `${part}n` : part)) as string
}
