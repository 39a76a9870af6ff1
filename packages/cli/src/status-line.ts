import type { ClientStatus } from '@sfstream/node'

export interface StatusLine {
  text: string
  /** Worth saying even when nobody asked: something is late, lost or failing. */
  trouble: boolean
}

/** What happened to the connection, in words. */
export function statusLine(status: ClientStatus): StatusLine {
  switch (status.type) {
    case 'state':
      return { text: status.error ? `${status.state}: ${status.error.message}` : status.state, trouble: false }
    case 'retry': {
      const { what, attempt, delayMs, error, channel } = status
      return {
        text: `${what}${channel ? ` ${channel}` : ''} failed (attempt ${attempt}): ${sentence(error.message)} Next in ${seconds(delayMs)}.`,
        trouble: true,
      }
    }
    case 'reauthenticated':
      return { text: `token refused -> logged in again at ${status.instanceUrl}`, trouble: false }
    case 'rehandshake': {
      const { reason, delayMs } = status
      return { text: `session lost -> new handshake${delayMs > 0 ? ` in ${seconds(delayMs)}` : ''} (${reason})`, trouble: false }
    }
    case 'slowed':
      return { text: `the org asks for a pause of ${seconds(status.intervalMs)} before each poll`, trouble: status.intervalMs >= 60_000 }
    case 'resubscribed':
      return { text: `resubscribed ${status.channel} from ${from(status.from)}`, trouble: false }
    case 'replayGap': {
      const { channel, reason, to } = status
      return { text: `${channel}: events may be missing or come again (${reason}); goes on from ${from(to)}`, trouble: true }
    }
    case 'paused':
      return { text: `${status.channel} paused (${status.how}): ${status.buffered} events wait`, trouble: false }
    case 'lagging':
      return { text: `${status.channel} is ${seconds(status.lagMs)} behind; the org keeps ${seconds(status.retentionMs)}`, trouble: true }
    case 'storeFailed':
      return { text: `${status.channel}: ${status.error.message} ${status.error.remediation}`, trouble: true }
    case 'multipleClients':
      return {
        text: `the org sees several clients of one browser and slows them to one poll in ${seconds(status.intervalMs)}`,
        trouble: true,
      }
    case 'limit':
      return {
        text: `${status.channel ? `${status.channel}: ` : ''}limit of the org: ${sentence(status.error.message)} Next try in ${seconds(status.delayMs)}.`,
        trouble: true,
      }
    case 'notShared':
      return { text: `the session is not shared: ${status.reason}`, trouble: true }
    case 'badMessage':
      return { text: `unexpected message: ${status.reason}`, trouble: true }
    case 'invalidEvent':
      return { text: `${status.channel} ${from(status.replayId ?? '?')} does not fit its schema: ${status.issues}`, trouble: true }
    case 'subscriptionFailed':
      // The loop's own error, which ends the run, says the same.
      return {
        text: `${status.channel} ended: ${status.error instanceof Error ? status.error.message : String(status.error)}`,
        trouble: false,
      }
    default:
      return status satisfies never
  }
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

function from(position: string | number): string {
  switch (position) {
    case 'all':
      return 'the oldest event kept'
    case 'new':
    case 'off':
      return 'new events'
    default:
      return `#${position}`
  }
}

function seconds(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 600_000) return `${Math.round(ms / 1000)} s`
  return ms < 36_000_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`
}
