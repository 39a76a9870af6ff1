// For providers in other packages of this repository. Not covered by semantic versioning.

export { redact, safeCause } from './redact.ts'
export type { LoginContext } from './session-cache.ts'
export { sessionCache } from './session-cache.ts'
export { spaced } from './spaced.ts'
