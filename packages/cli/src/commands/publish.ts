import { proxyFetch } from '@sfstream/node'
import { createRestClient } from '@sfstream/rest'
import { type Context, command, type ParsedArguments } from '../command.ts'
import { credentials, credentialsHelp } from '../credentials.ts'
import { exitStatusHelp } from '../exit-status.ts'
import { orgFlags } from '../org-flags.ts'
import { UsageError } from '../usage-error.ts'

const flags = {
  channel: { type: 'positional', description: 'A platform event (/event/Order__e) or a generic channel (/u/Name)', required: true },
  json: { type: 'positional', description: 'The fields as a JSON object; for a generic channel, the text', required: true },
  ...orgFlags,
  verbose: { type: 'boolean', description: 'Show where an error came from' },
} as const

export const publish = command(
  { name: 'publish', description: 'Publish one event.', args: flags, run: runPublish },
  { notes: [credentialsHelp, exitStatusHelp] },
)

async function runPublish(args: ParsedArguments<typeof flags>, { env, terminal }: Context): Promise<void> {
  const work = action(args.channel, args.json)
  const fetch = proxyFetch({ env })
  const rest = createRestClient({
    auth: credentials(env, { instanceUrl: args['instance-url'], loginUrl: args['login-url'], sandbox: args.sandbox }),
    ...(args['api-version'] && { apiVersion: args['api-version'] }),
    ...(fetch && { platform: { fetch } }),
  })
  const result = work.kind === 'event' ? await rest.publish(args.channel, work.fields) : await rest.push(args.channel, work.text)
  await terminal.print(JSON.stringify(result))
}

function action(channel: string, json: string): { kind: 'event'; fields: Record<string, unknown> } | { kind: 'generic'; text: string } {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    value = undefined
  }
  if (channel.startsWith('/u/')) return { kind: 'generic', text: typeof value === 'string' ? value : json }
  if (channel.startsWith('/event/')) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { kind: 'event', fields: value as Record<string, unknown> }
    throw new UsageError('The fields of the event are not a JSON object.', `Such as: sfstream publish ${channel} '{"Number__c": 17}'`)
  }
  throw new UsageError(
    `Nothing can be published on '${channel}'.`,
    'Platform events (/event/Name__e) and generic channels (/u/Name) take events; change events and PushTopics come from changed records.',
  )
}
