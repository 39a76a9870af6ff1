/** What the org knows about one channel. A plain name stands for the definition its form implies. */
export type ChannelDefinition =
  | { kind: 'platform-event'; channel: string; fields?: readonly string[] }
  /** The fields that its query selects; without, whatever is published. */
  | { kind: 'push-topic'; channel: string; fields?: readonly string[] }
  | { kind: 'generic'; channel: string }
  | { kind: 'change-event'; channel: string; entity: string }
  | { kind: 'change-events'; channel: string }
  | { kind: 'custom-channel'; channel: string; members: readonly string[] }
  | { kind: 'system-topic'; channel: string }

/** The families that share an allocation and a retention. */
export type Family = 'platform' | 'push-topic' | 'generic' | 'system'

const hourMs = 3_600_000

export function familyOf(definition: ChannelDefinition): Family {
  switch (definition.kind) {
    case 'platform-event':
    case 'change-event':
    case 'change-events':
    case 'custom-channel':
      return 'platform'
    case 'push-topic':
      return 'push-topic'
    case 'generic':
      return 'generic'
    case 'system-topic':
      return 'system'
  }
}

/** High-volume events 72 h, the others 24 h: facts 4.2. */
export function retentionMs(family: Family): number {
  return family === 'platform' ? 72 * hourMs : 24 * hourMs
}

/**
 * @throws Error when the name has the form of no channel family, or of one that needs more than a name.
 */
export function channelDefinition(given: string | ChannelDefinition): ChannelDefinition {
  if (typeof given !== 'string') return given
  if (/^\/event\/\w+__chn$|^\/data\/\w+__chn$/.test(given)) {
    throw new Error(`The custom channel ${given} needs its members: { kind: 'custom-channel', channel: '${given}', members: ['/event/…'] }`)
  }
  if (/^\/event\/\w+$/.test(given)) return { kind: 'platform-event', channel: given }
  if (given === '/data/ChangeEvents') return { kind: 'change-events', channel: given }
  const change = /^\/data\/(\w+?)(__)?ChangeEvent$/.exec(given)
  // A custom object Employee__c has the channel /data/Employee__ChangeEvent.
  if (change) return { kind: 'change-event', channel: given, entity: change[2] ? `${change[1]}__c` : change[1]! }
  if (/^\/topic\/\w{1,25}$/.test(given)) return { kind: 'push-topic', channel: given }
  if (/^\/u\/\S+$/.test(given)) return { kind: 'generic', channel: given }
  if (/^\/systemTopic\/\w+$/.test(given)) return { kind: 'system-topic', channel: given }
  throw new Error(`'${given}' has the form of no channel family (/event/…, /data/…ChangeEvent, /topic/…, /u/…, /systemTopic/…).`)
}

/** What every simulated org has, so that the documentation's examples run. */
export function standardChannels(): ChannelDefinition[] {
  return [
    { kind: 'platform-event', channel: '/event/Low_Ink__e', fields: ['Printer_Model__c', 'Serial_Number__c', 'Ink_Percentage__c'] },
    { kind: 'platform-event', channel: '/event/Order_Event__e' },
    { kind: 'platform-event', channel: '/event/LoginEventStream' },
    { kind: 'platform-event', channel: '/event/BatchApexErrorEvent' },
    { kind: 'custom-channel', channel: '/event/Printing__chn', members: ['/event/Low_Ink__e', '/event/Order_Event__e'] },
    { kind: 'change-events', channel: '/data/ChangeEvents' },
    { kind: 'change-event', channel: '/data/AccountChangeEvent', entity: 'Account' },
    { kind: 'change-event', channel: '/data/ContactChangeEvent', entity: 'Contact' },
    { kind: 'change-event', channel: '/data/Employee__ChangeEvent', entity: 'Employee__c' },
    { kind: 'custom-channel', channel: '/data/HREvents__chn', members: ['/data/Employee__ChangeEvent', '/data/ContactChangeEvent'] },
    { kind: 'push-topic', channel: '/topic/InvoiceStatementUpdates', fields: ['Id', 'Name', 'Status__c', 'Industry', 'ShippingCity'] },
    { kind: 'generic', channel: '/u/notifications/ExampleUserChannel' },
    { kind: 'system-topic', channel: '/systemTopic/Logging' },
    { kind: 'system-topic', channel: '/systemTopic/TestResult' },
  ]
}
