import { StateError } from '../errors.ts'

export function consumedAlready(channel: string): StateError {
  return new StateError({
    code: 'already_consumed',
    message: `${channel} has a consumer already.`,
    remediation: 'Call subscribe() again for a second consumer of the channel.',
    channel,
  })
}

export function closedFirst(channel: string): StateError {
  return new StateError({ code: 'client_stopped', message: `${channel} was closed.`, remediation: 'Subscribe again.', channel })
}
