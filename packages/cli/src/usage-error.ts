/** The command line, or the environment it reads, cannot be used as it is. */
export class UsageError extends Error {
  /** Undefined: the command's own help. */
  readonly remediation: string | undefined

  constructor(message: string, remediation?: string) {
    super(message)
    this.name = 'UsageError'
    this.remediation = remediation
  }
}
