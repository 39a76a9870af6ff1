import type { MockOrg, MockOrgOptions, PlannedFault, PublishExtra } from '@sfstream/mock-org'

/** What code on another runtime may ask of the org. */
export interface ControlCalls {
  /** A new org at the same address; its replay ids may begin beyond what a number holds. */
  reset(options?: MockOrgOptions, firstReplayId?: string): void
  session(): { accessToken: string; instanceUrl: string }
  credentials(): MockOrg['credentials']
  jwtKey(): Promise<string>
  /** A user opens the login page and agrees: the URL it sends them back to. No runtime may look at a redirect but this one. */
  agree(url: string): Promise<string>
  answerDevice(userCode: string, approved: boolean): void
  /** Publishes several payloads at once; the replay ids as text. */
  publish(channel: string, payloads: readonly unknown[], extra?: PublishExtra): (string | undefined)[]
  sample(channel: string): string | undefined
  fault(fault: PlannedFault): void
  loseSessions(): void
  revokeTokens(): void
  resetReplayIds(): void
  cutConnections(): void
  deny(channel: string, error?: string): void
  look(): OrgView
}

export interface OrgView {
  handshakes: number
  logins: number
  /** Sessions that live. */
  alive: number
  /** Sessions with a connect held now. */
  connected: number
  maxConcurrentConnects: number
  subscriptions: Record<string, number>
  pendingFaults: number
  /** URLs asked for, newest last. */
  urls: string[]
}

export type Command = { [Name in keyof ControlCalls]: { call: Name; args: Parameters<ControlCalls[Name]> } }[keyof ControlCalls]

/** Does one command but `reset`, which is the host's. */
export async function control(org: MockOrg, command: Exclude<Command, { call: 'reset' }>): Promise<unknown> {
  switch (command.call) {
    case 'session':
      return org.session()
    case 'credentials': {
      const { clientId, clientSecret, username, password, securityToken, refreshToken } = org.credentials
      return { clientId, clientSecret, username, password, securityToken, refreshToken }
    }
    case 'jwtKey':
      return org.jwtKey()
    case 'agree': {
      const response = await org.fetch(command.args[0], { redirect: 'manual' })
      const location = response.headers.get('location')
      if (location === null) throw new Error(`HTTP ${response.status} ${await response.text()}`)
      return location
    }
    case 'answerDevice':
      return org.answerDevice(...command.args)
    case 'publish': {
      const [channel, payloads, extra] = command.args
      return payloads.map((payload) => org.publish(channel, payload, extra).replayId)
    }
    case 'sample':
      return org.publishSample(command.args[0]).replayId
    case 'fault':
      return void org.faults.next(command.args[0])
    case 'loseSessions':
      return org.faults.loseSessions()
    case 'revokeTokens':
      return org.faults.revokeTokens()
    case 'resetReplayIds':
      return org.faults.resetReplayIds()
    case 'cutConnections':
      return org.faults.cutConnections()
    case 'deny':
      return org.faults.deny(...command.args)
    case 'look':
      return view(org)
  }
}

function view({ inspect, faults }: MockOrg): OrgView {
  const { sessions } = inspect
  return {
    handshakes: inspect.handshakes,
    logins: inspect.logins,
    alive: sessions.filter((session) => session.alive).length,
    connected: sessions.filter((session) => session.connected).length,
    maxConcurrentConnects: inspect.maxConcurrentConnects,
    subscriptions: inspect.subscriptions,
    pendingFaults: faults.pending,
    urls: inspect.requests.map(({ origin, path }) => origin + path),
  }
}
