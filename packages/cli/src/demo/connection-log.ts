import type { Report } from './report.ts'
import { sampleChannels } from './sample-events.ts'

type StatusReport = Extract<Report, { type: 'status' }>

/** Puts what the consumer tells about its connection into sentences: one for each recovery, however many steps it took. */
export function connectionLog(): { told(status: StatusReport): string[] } {
  let steps: string[] = []
  let resumed: string[] = []
  return {
    told(status) {
      switch (status.name) {
        case 'state':
          return []
        case 'rehandshake':
          steps.push('session lost -> new handshake')
          return []
        case 'reauthenticated':
          steps.push('token refused -> logged in again')
          return []
        case 'retry':
          steps.push('connection lost -> next poll')
          return []
        case 'resubscribed': {
          resumed.push(`#${status.from}`)
          if (resumed.length < sampleChannels.length) return []
          const line = [...new Set(steps), `resubscribed from ${resumed.join(' ')}`].join(', ')
          steps = []
          resumed = []
          return [line]
        }
        default:
          return [status.text]
      }
    },
  }
}
