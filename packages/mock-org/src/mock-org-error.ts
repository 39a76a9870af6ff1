/** The org was asked for something that it does not know, or that cannot be: a mistake of the program that uses it, not of the client under test. */
export class MockOrgError extends Error {
  readonly code = 'bad_option'
  /** What to do first. */
  readonly remediation: string

  constructor(message: string, remediation: string) {
    super(`${message}. ${remediation}`)
    this.name = 'MockOrgError'
    this.remediation = remediation
  }
}
