import { eighteen } from '../ids.ts'
import type { World } from '../world.ts'

/** login() left the API with 65.0. */
const lastVersionWithLogin = 64

/** `POST /services/Soap/u/{version}`: facts 1.6. Only `login` is understood. */
export function soapLogin(world: World, version: string, action: string | null, body: string): Response {
  // Axis, behind which the SOAP API stands, wants the header, whatever it says.
  if (action === null) return soapFault('Client', 'SOAPAction HTTP header missing', 'soapenv')
  if (!world.versions.includes(version)) return soapFault('UNSUPPORTED_API_VERSION', 'Invalid Api version specified on URL')
  if (Number(version) > lastVersionWithLogin) {
    return soapFault(
      'INVALID_OPERATION',
      `The SOAP Login operation is not available in the API version specified (${version}). Refer to the documentation for supported versions.`,
    )
  }
  const username = element(body, 'username')
  const password = element(body, 'password')
  const user = username === undefined ? undefined : world.accounts.user(username)
  if (user?.active && user.securityToken !== '' && password === user.password) {
    return soapFault('LOGIN_MUST_USE_SECURITY_TOKEN', 'Invalid username, password, security token; or user locked out.')
  }
  if (!user?.active || password !== user.password + user.securityToken) {
    return soapFault('INVALID_LOGIN', 'Invalid username, password, security token; or user locked out.')
  }
  world.counts.logins += 1
  const token = world.tokens.issue({ userId: user.id })
  const org = eighteen(world.accounts.orgId)
  return xml(
    `<loginResponse><result><metadataServerUrl>${world.hosts.instance}/services/Soap/m/${version}/${org}</metadataServerUrl><passwordExpired>false</passwordExpired><sandbox>false</sandbox><serverUrl>${world.hosts.instance}/services/Soap/u/${version}/${world.accounts.orgId}</serverUrl><sessionId>${token.value}</sessionId><userId>${eighteen(user.id)}</userId><userInfo><organizationId>${org}</organizationId><sessionSecondsValid>${(token.expiresAt - token.issuedAt) / 1_000}</sessionSecondsValid><userEmail>${escaped(user.email)}</userEmail><userName>${escaped(user.username)}</userName></userInfo></result></loginResponse>`,
    200,
  )
}

export function soapFault(code: string, message: string, prefix = 'sf'): Response {
  return xml(fault(code, message, prefix), 500)
}

/** The whole body of a failed login. */
export function soapFaultText(code: string, message: string): string {
  return envelope(fault(code, message))
}

function fault(code: string, message: string, prefix = 'sf'): string {
  const text = escaped(message)
  if (prefix !== 'sf') return `<soapenv:Fault><faultcode>${prefix}:${code}</faultcode><faultstring>${text}</faultstring></soapenv:Fault>`
  return `<soapenv:Fault><faultcode>sf:${code}</faultcode><faultstring>${code}: ${text}</faultstring><detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>${code}</sf:exceptionCode><sf:exceptionMessage>${text}</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault>`
}

function xml(body: string, status: number): Response {
  return new Response(envelope(body), { status, headers: { 'Content-Type': 'text/xml;charset=UTF-8' } })
}

function envelope(body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`
}

function element(body: string, name: string): string | undefined {
  const found = new RegExp(`<(?:\\w+:)?${name}>([^<]*)</(?:\\w+:)?${name}>`).exec(body)?.[1]
  return found === undefined ? undefined : unescaped(found)
}

const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&amp;': '&' }

function unescaped(text: string): string {
  return text.replace(/&(?:lt|gt|quot|apos|amp);|&#(x[\da-fA-F]+|\d+);/g, (found, digits: string | undefined) => {
    if (digits === undefined) return entities[found]!
    const point = Number(digits.startsWith('x') ? `0${digits}` : digits)
    return point <= 0x10ffff ? String.fromCodePoint(point) : found
  })
}

function escaped(text: string): string {
  return text.replace(/[<>&"']/g, (found) => Object.entries(entities).find(([, plain]) => plain === found)![0])
}
