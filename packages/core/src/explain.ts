import type { ErrorCode } from './errors.ts'

export function explain(code: ErrorCode): string {
  return code
}
