import { AuthenticationError } from '@sfstream/core'
import { type ProgramOutput, runProgram } from './run-program.ts'

/** The JSON every command of the Salesforce CLI prints with `--json`. */
export type SfReply =
  | { kind: 'result'; result: Readonly<Record<string, unknown>> }
  /** In the CLI's own words: `NamedOrgNotFoundError`, `No authorization information found for …`. */
  | { kind: 'refusal'; name: string; message: string }
  | { kind: 'missing' }

/**
 * Runs one command of the Salesforce CLI (`sf`, or `sfdx`).
 * @throws AuthenticationError `login_unavailable` where it prints no JSON
 */
export async function sfCommand(program: 'sf' | 'sfdx', args: readonly string[], signal: AbortSignal): Promise<SfReply> {
  const { FORCE_COLOR: _, ...inherited } = process.env
  // Colours would get into the JSON; news about versions would cost a request.
  const env = { ...inherited, NO_COLOR: '1', SF_SKIP_NEW_VERSION_CHECK: 'true', SFDX_SKIP_NEW_VERSION_CHECK: 'true' }
  let output: ProgramOutput
  try {
    output = await runProgram(program, [...args, '--json'], { signal, env })
  } catch (error) {
    const { code } = (error ?? {}) as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EACCES') return { kind: 'missing' }
    if (signal.aborted || code === undefined) throw error
    // The system has no room for another process, or for what joins it to this one.
    throw new AuthenticationError({
      code: 'login_unavailable',
      message: `${program} could not be started (${code}).`,
      remediation: 'Try again after a pause; if it lasts, see what uses up the processes or open files of this machine.',
      retryable: true,
      cause: error,
    })
  }
  const printed = json(output.stdout)
  if (printed?.status === 0 && isRecord(printed.result)) return { kind: 'result', result: printed.result }
  // Some versions print a refusal to stderr.
  const refusal = printed ?? json(output.stderr)
  if (typeof refusal?.name === 'string') return { kind: 'refusal', name: refusal.name, message: String(refusal.message ?? '') }
  // Nothing of the output is repeated: it may hold a token.
  throw new AuthenticationError({
    code: 'login_unavailable',
    message: `${program} ended with ${output.exitCode === null ? 'a signal' : `exit code ${output.exitCode}`} and without a readable reply.`,
    remediation: `Run \`${[program, ...args].join(' ')}\` in a terminal to see what is wrong with it.`,
    retryable: true,
  })
}

/** The object in what was printed, which warnings may surround. */
function json(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1))
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
