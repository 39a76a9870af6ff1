// For the adapters and companion packages of this repository. Not covered by semantic versioning.

export { apiVersion, latestApiVersion } from './api-version.ts'
export { readText } from './async/read-text.ts'
export { singleFlight } from './async/single-flight.ts'
export { sleep } from './async/sleep.ts'
export { deadlineReached, withDeadline } from './async/with-deadline.ts'
export type { CookieJar } from './bayeux/transport/cookie-jar.ts'
export { cookieJar } from './bayeux/transport/cookie-jar.ts'
export type { ReplayRecord } from './delivery/replay-record.ts'
export { formatRecord, isReplayId, parseRecord, positionOf, unreadable } from './delivery/replay-record.ts'
export { instanceUrl } from './instance-url.ts'
export { orgKey } from './org-key.ts'
export { webPlatform } from './platform.ts'
