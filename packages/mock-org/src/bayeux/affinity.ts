import type { Exchange } from '../exchange.ts'
import { letters } from '../ids.ts'
import type { World } from '../world.ts'

/**
 * The load balancer. Its cookie `sfdc-stream` names the node that owns the session and runs out after three hours, renewed
 * by nothing: then another node answers, which knows no such client, and sets a new cookie (facts 2.6).
 */
export function routeToNode(world: World, exchange: Exchange): number {
  const { clock, switches, random } = world
  const sent = cookie(exchange, 'sfdc-stream')
  const known = sent === undefined ? undefined : world.affinity.get(sent)
  if (known && known.expiresAt > clock.now()) {
    if (switches.rotateAffinity) {
      nameNode(world, exchange, { ...known })
      // Long enough for the reply to a held connect to bring the new one.
      known.expiresAt = Math.min(known.expiresAt, clock.now() + switches.holdMs + switches.sessionExpiryMs)
    }
    return known.node
  }
  let node = Math.floor(random() * switches.nodes)
  // The node whose cookie ran out is never chosen again at once: a session loss here is certain, not likely.
  if (known && node === known.node) node = (node + 1) % switches.nodes
  nameNode(world, exchange, { node, expiresAt: clock.now() + switches.affinityMs })
  return node
}

function nameNode({ affinity, clock, random }: World, exchange: Exchange, place: { node: number; expiresAt: number }): void {
  const value = `!${letters(random, 32)}/${letters(random, 8)}+${letters(random, 12)}=`
  affinity.set(value, place)
  for (const [old, entry] of affinity) {
    if (affinity.size <= affinityKept) break
    if (entry.expiresAt < clock.now() || affinity.size > affinityKept * 2) affinity.delete(old)
  }
  exchange.setCookies.push(
    `sfdc-stream=${value}; path=/; Expires=${new Date(place.expiresAt).toUTCString()}${exchange.secure ? '; SameSite=None; Secure' : ''}`,
  )
}

const affinityKept = 10_000

/** The cookies a handshake sets besides. A `Secure` cookie would never come back over plain http, so there they are not. */
export function handshakeCookies(world: World, exchange: Exchange): { browser: string } {
  const { random, clock, switches } = world
  const secure = exchange.secure ? ';Secure' : ''
  const known = cookie(exchange, 'BAYEUX_BROWSER')
  const browser = known ?? `${letters(random, 4)}-${letters(random, 26)}`
  const day = 86_400_000
  if (known === undefined) exchange.setCookies.push(`BAYEUX_BROWSER=${browser};Path=/cometd/${secure};HttpOnly`)
  exchange.setCookies.push(`t=${letters(random, 22)};Path=/cometd/;HttpOnly`)
  const domain = switches.browserIdDomain === 'host' ? '' : 'Domain=.salesforce.com;'
  const expires = new Date(clock.now() + 60 * day).toUTCString()
  exchange.setCookies.push(`BrowserId=${letters(random, 22)};Path=/;${domain}Expires=${expires};Max-Age=${60 * 86_400}`)
  return { browser }
}

export function cookie(exchange: Exchange, name: string): string | undefined {
  for (const pair of exchange.cookies.split(';')) {
    const equals = pair.indexOf('=')
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
  }
  return undefined
}
