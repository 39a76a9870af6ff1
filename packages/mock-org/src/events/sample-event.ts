import type { ChannelDefinition } from './channel-definition.ts'
import type { PublishExtra } from './publish-extra.ts'

/** Something to publish on a channel, for demonstrations and scenarios; `number` tells one from the next. */
export function sampleEvent(definition: ChannelDefinition, number: number): { payload: unknown; extra: PublishExtra } {
  const name = `Sample ${number}`
  switch (definition.kind) {
    case 'platform-event':
      return {
        payload: Object.fromEntries((definition.fields ?? ['Name__c', 'Number__c']).map((field) => [field, value(field, number)])),
        extra: {},
      }
    case 'custom-channel':
      return { payload: definition.channel.startsWith('/data/') ? { Name: name } : { Serial_Number__c: String(number) }, extra: {} }
    case 'change-event':
    case 'change-events':
      return number % 2 === 0 ? { payload: { Name: name }, extra: { changeType: 'UPDATE' } } : { payload: { Name: name }, extra: {} }
    case 'push-topic':
      return {
        payload: Object.fromEntries(
          (definition.fields ?? ['Name'])
            .filter((field) => field !== 'Id')
            .map((field) => [field, field === 'Name' ? name : value(field, number)]),
        ),
        extra: { type: number % 2 === 0 ? 'updated' : 'created' },
      }
    case 'generic':
      return { payload: name, extra: {} }
    case 'system-topic':
      return { payload: {}, extra: {} }
  }
}

function value(field: string, number: number): unknown {
  if (/percentage/i.test(field)) return (number % 100) / 100
  if (/^number/i.test(field)) return number
  if (field === 'Industry') return number % 2 === 0 ? 'Energy' : 'Retail'
  return `${field.replace(/__c$/, '').replaceAll('_', ' ')} ${number}`
}
