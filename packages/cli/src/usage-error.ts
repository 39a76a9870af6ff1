/** The command line, or the environment it reads, cannot be used as it is. */
export class UsageError extends Error {
  readonly remediation: string

  constructor(message: string, remediation = 'See sfstream --help.') {
    super(message)
    this.name = 'UsageError'
    this.remediation = remediation
  }
}
