/** The little of Deno that the example uses, for the type check of the workspace; Deno itself knows all of it. */
declare const Deno: {
  readonly args: readonly string[]
  readonly env: { toObject(): Record<string, string | undefined> }
  exit(code?: number): never
  addSignalListener(signal: 'SIGINT', listener: () => void): void
}
