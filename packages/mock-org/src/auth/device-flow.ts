import { letters } from '../ids.ts'
import type { World } from '../world.ts'
import type { App } from './accounts.ts'
import { bringsRefresh, type Grant, refused } from './grant.ts'
import { oauthJson } from './oauth-reply.ts'

export interface PendingDevice {
  readonly userCode: string
  readonly clientId: string
  readonly scope: string
  readonly expiresAt: number
  polledAt: number
  state: 'pending' | 'approved' | 'denied'
}

const deviceLifeMs = 600_000

/** Step one, on the token endpoint itself: facts 1.4. */
export function deviceCode(world: World, form: URLSearchParams): Grant {
  const { accounts, clock, random, devices, hosts, switches } = world
  const app = accounts.app(form.get('client_id') ?? '')
  if (!app) return refused('invalid_client_id', 'client identifier invalid')
  const code = letters(random, 40)
  const userCode = letters(random, 8, 'BCDFGHJKLMNPQRSTVWXZ23456789')
  devices.set(code, {
    userCode,
    clientId: app.clientId,
    scope: form.get('scope') ?? app.scopes.join(' '),
    expiresAt: clock.now() + deviceLifeMs,
    polledAt: Number.NEGATIVE_INFINITY,
    state: 'pending',
  })
  return oauthJson({
    device_code: code,
    user_code: userCode,
    verification_uri: `${hosts.login}/setup/connect`,
    interval: switches.deviceIntervalMs / 1_000,
  })
}

/** Step two: the grant is called `device`, and its parameter `code`. */
export function deviceToken(world: World, form: URLSearchParams, app: App): Grant {
  const { accounts, clock, devices, switches } = world
  const code = form.get('code') ?? ''
  const device = devices.get(code)
  if (!device || device.clientId !== app.clientId) return refused('invalid_grant', 'invalid device code')
  if (device.expiresAt <= clock.now()) return refused('invalid_grant', 'expired device code')
  const status = switches.deviceErrorStatus
  if (device.state === 'denied') return refused('access_denied', 'end-user denied authorization', status)
  const tooFast = clock.now() - device.polledAt < switches.deviceIntervalMs
  device.polledAt = clock.now()
  if (tooFast) return refused('slow_down', 'polling too quickly', status)
  if (device.state === 'pending') return refused('authorization_pending', 'authorization pending', status)
  devices.delete(code)
  return { user: accounts.users[0]!, app, scope: device.scope, refresh: bringsRefresh(device.scope) }
}
