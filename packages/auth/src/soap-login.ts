import { AuthenticationError, type AuthProvider, type OrgSession } from '@sfstream/core'
import { checkedSession, required } from '@sfstream/core/internal'
import { given, hostNames } from './given.ts'
import { type LoginHostOptions, loginHost } from './login-host.ts'
import { kindOf, type LoginAnswer, postLogin, unavailable, unreadable } from './login-request.ts'
import { type LoginContext, sessionCache } from './session-cache.ts'
import { soapFault } from './soap-fault.ts'
import { spaced } from './spaced.ts'
import { readXml, xmlText } from './xml.ts'

export interface SoapLoginOptions extends LoginHostOptions {
  username: string
  password: string
  /** Appended to the password; not needed from trusted IP ranges. */
  securityToken?: string
  /** The SOAP API's version. Default `64.0`, the last one that has `login()`. */
  apiVersion?: string
}

const lastVersion = 64
/**
 * `login()` of the partner SOAP API: a session id for username and password, without an app. Salesforce ends it with Summer '27,
 * and new orgs have it turned off: prefer `clientCredentials` or `jwtBearer`.
 * @throws AuthenticationError `missing_credential`, `bad_option`, `bad_login_url`
 */
export function soapLogin(options: SoapLoginOptions): AuthProvider {
  const names = { ...hostNames, username: true, password: true, securityToken: true, apiVersion: true } as const
  const { username, password, securityToken = '', apiVersion = `${lastVersion}.0` } = given('soapLogin', options, names)
  required('soapLogin', { username, password })
  const host = loginHost(options)
  if (!/^[1-9]\d{1,2}\.0$/.test(apiVersion) || Number(apiVersion) > lastVersion) {
    throw new AuthenticationError({
      code: 'bad_option',
      message: `soapLogin: \`apiVersion\` ${String(apiVersion).slice(0, 20)} has no login().`,
      remediation: `Leave \`apiVersion\` out, or use one up to ${lastVersion}.0; later ones want clientCredentials() or jwtBearer().`,
    })
  }
  const secret = `${password}${securityToken}`
  const [name, word] = [escaped('username', username), escaped('password', secret)]
  const secrets = [secret, password, securityToken].flatMap((text) => [text, xmlText(text) ?? ''])
  const body = `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:urn="urn:partner.soap.sforce.com"><soapenv:Body><urn:login><urn:username>${name}</urn:username><urn:password>${word}</urn:password></urn:login></soapenv:Body></soapenv:Envelope>`
  // Any SOAPAction will do, but there must be one.
  const headers = { accept: 'text/xml', 'content-type': 'text/xml; charset=UTF-8', soapaction: '"login"' }
  const path = `/services/Soap/u/${apiVersion}`
  const login = spaced(async ({ signal, platform }: LoginContext) =>
    sessionOf(await postLogin({ host, path, headers, body, secrets, signal, platform }), host, secrets),
  )
  return sessionCache(login)
}

function escaped(option: string, text: string): string {
  const xml = xmlText(text)
  if (xml !== undefined) return xml
  throw new AuthenticationError({
    code: 'bad_option',
    message: `soapLogin: \`${option}\` holds a character that XML cannot carry.`,
    remediation: 'Look for control characters or a broken encoding where the value comes from.',
  })
}

/** @throws AuthenticationError `login_refused`, `login_unavailable`, `bad_login_url`, and those of `checkedSession` */
function sessionOf({ text, ...told }: LoginAnswer, host: URL, secrets: readonly string[]): OrgSession {
  const { status } = told
  const found = readXml(text)
  const error = found?.get('Envelope/Body/Fault/faultcode')
  if (found && error !== undefined) {
    const code = error.trim().replace(/^[^:]*:/, '')
    const said = (found.get('Envelope/Body/Fault/faultstring') ?? '').trim()
    const description = said.startsWith(`${code}: `) ? said.slice(code.length + 2) : said
    throw soapFault({ error: code, description, ...told }, host.host, secrets)
  }
  const result = 'Envelope/Body/loginResponse/result'
  const accessToken = found?.get(`${result}/sessionId`)
  const serverUrl = found?.get(`${result}/serverUrl`)
  if (found?.get(`${result}/passwordExpired`) === 'true') {
    throw new AuthenticationError({
      code: 'login_refused',
      message: `${host.host} took the password, but it has expired: the session could only set another one.`,
      remediation: 'Set a new password in a browser; the security token changes with it.',
      server: { text: '', status },
    })
  }
  if (!accessToken || !serverUrl) {
    const why = found ? 'XML without sessionId and serverUrl' : kindOf(text, 'SOAP')
    throw unreadable(host, 'SOAP login', told, why)
  }
  if (status !== 200) throw unavailable(host, `answered HTTP ${status} to a login`, { told })
  // Sessions live where serverUrl points, not at the login host.
  return checkedSession({ accessToken, instanceUrl: serverUrl }, `Reply of ${host.host}`)
}
