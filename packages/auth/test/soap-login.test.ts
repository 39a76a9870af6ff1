import { inspect } from 'node:util'
import { soapLogin } from '@sfstream/auth'
import { createMockOrg } from '@sfstream/mock-org'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { context, failure, scriptedPlatform } from './scripted-platform.ts'

const base = { username: 'amy@acme.com', password: 'hunter2' }
const escaped = (text: string): string => text.replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`)

const envelope = (body: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`
const successText = (
  sessionId: string,
  serverUrl = 'https://acme.my.salesforce.com/services/Soap/u/64.0/00Dxx0000001gER',
  more = '',
): string =>
  envelope(
    `<loginResponse><result>${more}<metadataServerUrl>https://other.example/</metadataServerUrl><serverUrl>${serverUrl}</serverUrl><sessionId>${sessionId}</sessionId><userId>005</userId><userInfo><sessionSecondsValid>7200</sessionSecondsValid><roleId xsi:nil="true"/></userInfo></result></loginResponse>`,
  )
const success = (...parts: Parameters<typeof successText>): Response => new Response(successText(...parts))
const fault = (code: string, text: string, status = 500): Response =>
  new Response(
    envelope(
      `<soapenv:Fault><faultcode>sf:${code}</faultcode><faultstring>${code}: ${escaped(text)}</faultstring><detail><sf:LoginFault xmlns:sf="urn:fault" xsi:type="sf:LoginFault"><sf:exceptionCode>${code}</sf:exceptionCode><sf:exceptionMessage>${escaped(text)}</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault>`,
    ),
    { status },
  )

describe('soapLogin', () => {
  test.each([
    ['production', {}, 'https://login.salesforce.com/services/Soap/u/64.0'],
    ['a sandbox', { sandbox: true }, 'https://test.salesforce.com/services/Soap/u/64.0'],
    [
      'My Domain and a version',
      { loginUrl: 'https://acme.my.salesforce.com/', apiVersion: '59.0' },
      'https://acme.my.salesforce.com/services/Soap/u/59.0',
    ],
    [
      'a pasted endpoint',
      { loginUrl: 'https://acme.my.site.com/partners/services/Soap/u/46.0' },
      'https://acme.my.site.com/partners/services/Soap/u/64.0',
    ],
  ])('posts one envelope to %s and takes session and instance out of the reply', async (_, options, url) => {
    const scripted = scriptedPlatform(success('00Dxx!AQ.session'))
    const session = await soapLogin({ ...base, ...options }).getSession(context(scripted))
    expect(session).toEqual({ accessToken: '00Dxx!AQ.session', instanceUrl: 'https://acme.my.salesforce.com' })
    const [seen] = scripted.seen
    expect([seen?.method, seen?.url.href]).toEqual(['POST', url])
    expect(seen?.headers.get('content-type')).toBe('text/xml; charset=UTF-8')
    expect(seen?.headers.has('soapaction')).toBe(true)
    expect(seen?.init.redirect).toBe('manual')
    expect(seen?.body).toContain('<urn:username>amy@acme.com</urn:username><urn:password>hunter2</urn:password>')
    expect(scripted.timers()).toBe(0)
  })

  test('is one login for concurrent callers, and another one when the session was refused', async () => {
    let count = 0
    const scripted = scriptedPlatform(() => success(`00Dxx!s${++count}`))
    const auth = soapLogin(base)
    const [first] = await Promise.all([1, 2, 3].map(() => auth.getSession(context(scripted))))
    expect(scripted.seen).toHaveLength(1)
    expect((await auth.getSession({ ...context(scripted), rejected: first! })).accessToken).toBe('00Dxx!s2')
  })

  // Every character that XML has, on its way through our envelope and the simulated org's reader.
  test('any password arrives as it is', async () => {
    const character = fc.oneof(
      fc.constantFrom('&', '<', '>', '"', "'", ']]>', '&amp;', '&#38;', '\t', ' ', 'é', '😀', '\r', '\n'),
      fc.string({ minLength: 1, maxLength: 1, unit: 'grapheme-ascii' }),
    )
    const word = fc.array(character, { minLength: 1, maxLength: 12 }).map((all) => all.join(''))
    await fc.assert(
      fc.asyncProperty(
        word.filter((text) => text.trim() !== ''),
        word,
        async (password, securityToken) => {
          const org = createMockOrg({ users: [{ ...base, password, securityToken }] })
          const { signal, platform } = context(scriptedPlatform())
          const auth = soapLogin({ ...base, password, securityToken })
          const session = await auth.getSession({ signal, platform: { ...platform, fetch: org.fetch } })
          expect(session.instanceUrl).toBe(org.url)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('markup and line ends are escaped: a parser would turn a bare carriage return into a line feed', async () => {
    const scripted = scriptedPlatform(success('00Dxx!a'))
    await soapLogin({ ...base, password: `a&<b>"c'\r\n` }).getSession(context(scripted))
    expect(scripted.seen[0]?.body).toContain('<urn:password>a&amp;&lt;b&gt;&quot;c&apos;&#13;\n</urn:password>')
  })

  test('the password shows in no error, not even as the request spelled it', async () => {
    const scripted = scriptedPlatform(
      (seen) =>
        new Response(
          envelope(`<soapenv:Fault><faultcode>x</faultcode><faultstring><![CDATA[${seen.body}]]></faultstring></soapenv:Fault>`),
        ),
    )
    const error = await failure(soapLogin({ ...base, password: 'a&b<c', securityToken: 'd"e' }).getSession(context(scripted)))
    expect(error).toMatchObject({
      code: 'login_refused',
      server: { text: expect.stringContaining('<urn:password>[secret]</urn:password>') },
    })
    expect(inspect(error, { showHidden: true, depth: null })).not.toMatch(/a&amp;b|d&quot;e/)
  })

  test.each(['a\u0000b', 'a\u001bb', 'a\uD800b', '\uFFFF'])(
    'a character that XML cannot carry is refused before anything is sent: %j',
    (word) => {
      expect(() => soapLogin({ ...base, password: word })).toThrow(
        expect.objectContaining({ name: 'AuthenticationError', code: 'bad_option', message: expect.not.stringContaining(word) }),
      )
    },
  )

  test.each(['65.0', '66.0', '64', 'v64.0', '64.0/../..', '', 'latest'])('apiVersion %j has no login()', (apiVersion) => {
    expect(() => soapLogin({ ...base, apiVersion })).toThrow(expect.objectContaining({ code: 'bad_option' }))
  })

  test.each([
    ['INVALID_LOGIN', 'Invalid username, password, security token; or user locked out.', 'security token'],
    ['LOGIN_MUST_USE_SECURITY_TOKEN', 'Use your security token & try <again>', '`securityToken`'],
    ['API_DISABLED_FOR_ORG', 'API is disabled for this User', 'API Enabled'],
    ['PASSWORD_LOCKOUT', 'user password locked', 'Unlock'],
    ['UNSUPPORTED_API_VERSION', 'Invalid Api version specified on URL', "Summer '27"],
    ['INVALID_OPERATION', 'The SOAP Login operation is not available in the API version specified (65.0).', "Summer '27"],
    ['INVALID_OPERATION', 'SOAP API login() is disabled by default in this org.', 'turn SOAP API login() on'],
    ['LOGIN_DURING_RESTRICTED_DOMAIN', 'cannot login from current domain', 'IP address'],
    ['INVALID_SSO_GATEWAY_URL', 'bad gateway', 'delegated authentication'],
    ['SOMETHING_NEW', 'who knows', 'Login History'],
  ])('S36 the fault %s is final and keeps its words, whatever its HTTP status', async (code, text, remediation) => {
    for (const status of [500, 200]) {
      const error = await failure(soapLogin(base).getSession(context(scriptedPlatform(fault(code, text, status)))))
      expect(error).toMatchObject({
        name: 'AuthenticationError',
        code: 'login_refused',
        retryable: false,
        remediation: expect.stringContaining(remediation),
        server: { error: code, text, status },
      })
    }
  })

  test.each([
    ['SERVER_UNAVAILABLE', 'Server temporarily unavailable'],
    ['API_CURRENTLY_DISABLED', 'API is currently disabled'],
    ['UNKNOWN_EXCEPTION', 'An unexpected error occurred'],
    ['INVALID_LOGIN', 'login rate exceeded'],
  ])('the fault %s (%s) passes', async (code, text) => {
    const error = await failure(soapLogin(base).getSession(context(scriptedPlatform(fault(code, text)))))
    expect(error).toMatchObject({ code: 'login_unavailable', retryable: true, server: { error: code, text } })
  })

  test.each([
    ['an HTML 503', new Response('<!DOCTYPE html><html>down</html>', { status: 503 }), 'login_unavailable'],
    ['an HTML 404', new Response('<html><body>URL No Longer Exists</body></html>', { status: 404 }), 'bad_login_url'],
    ['an empty body', new Response(''), 'login_unavailable'],
    ['a reply without a session', new Response(envelope('<loginResponse><result></result></loginResponse>')), 'login_unavailable'],
    ['a session at an error status', new Response(success('00Dxx!a').body, { status: 500 }), 'login_unavailable'],
    ['a broken-off reply', new Response(envelope('<loginResponse>').slice(0, -30)), 'login_unavailable'],
    ['another server', success('00Dxx!a', 'http://evil.example/'), 'bad_instance_url'],
    ['a Lightning page', success('00Dxx!a', 'https://acme.lightning.force.com/'), 'bad_instance_url'],
    ['a session that is no header', success('00Dxx a'), 'bad_option'],
    ['an expired password', success('00Dxx!a', undefined, '<passwordExpired>true</passwordExpired>'), 'login_refused'],
    ['crossed elements', new Response(successText('00Dxx!a').replace('</serverUrl>', '</sessionId>')), 'login_unavailable'],
    ['a second root', new Response(`${successText('00Dxx!a')}<a/>`), 'login_unavailable'],
    ['a document type', new Response(`<!DOCTYPE a [<!ENTITY b "c">]>${envelope('')}`), 'login_unavailable'],
    ['an unknown entity', success('00Dxx!&nbsp;a'), 'login_unavailable'],
    ['a network failure', new TypeError('fetch failed'), 'login_unavailable'],
  ])('%s is a typed error', async (_, answer, code) => {
    expect(await failure(soapLogin(base).getSession(context(scriptedPlatform(answer))))).toMatchObject({
      name: 'AuthenticationError',
      code,
    })
  })

  test.each([
    ['a byte order mark', `\uFEFF${envelope('§')}`],
    ['comments and CDATA', envelope('<!-- <sessionId>no</sessionId> -->§').replace('00Dxx!a', '<![CDATA[00Dxx!a]]>')],
    ['other prefixes and spaces', envelope('§').replaceAll('soapenv:', 'S:').replaceAll('><', '>\n  <')],
  ])('reads past %s', async (_, text) => {
    const inner =
      '<loginResponse><result><serverUrl>https://acme.my.salesforce.com/</serverUrl><sessionId>00Dxx!a</sessionId></result></loginResponse>'
    const scripted = scriptedPlatform(new Response(text.replace('§', inner)))
    expect((await soapLogin(base).getSession(context(scripted))).accessToken).toBe('00Dxx!a')
  })

  test('what Salesforce echoes in a text cannot pass for an element', async () => {
    const text = '</faultstring></soapenv:Fault><sessionId>x</sessionId>'
    const error = await failure(soapLogin(base).getSession(context(scriptedPlatform(fault('INVALID_LOGIN', text)))))
    expect(error).toMatchObject({ code: 'login_refused', server: { text } })
  })

  test('any reply, mangled anyhow, is a session or an AuthenticationError', async () => {
    const whole = await success('00Dxx!true').text()
    const piece = fc.oneof(
      fc.string({ maxLength: 20 }),
      fc.constantFrom('<', '>', '&', '</', '<![CDATA[', '-->', '<a/>', '<a b="c">', ']]>', '&#0;'),
    )
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length), fc.nat(12), piece, async (at, cut, inserted) => {
        const text = whole.slice(0, at) + inserted + whole.slice(at + cut)
        const outcome = await soapLogin(base)
          .getSession(context(scriptedPlatform(new Response(text))))
          .catch((error: unknown) => error)
        if (outcome instanceof Error) expect(outcome).toMatchObject({ name: 'AuthenticationError' })
        else expect(Object.keys(outcome as object)).toEqual(['accessToken', 'instanceUrl'])
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    ['elements', '<a>'],
    ['attributes', `<a ${'b="c" '.repeat(100)}`],
    ['spaces', `<a${' '.repeat(2_000)}!`],
    ['references', '&'],
    ['comments', '<!--'],
  ])('a megabyte of %s does not hang the reader', async (_, piece) => {
    const text = piece.repeat(1_000_000 / piece.length)
    expect(await failure(soapLogin(base).getSession(context(scriptedPlatform(new Response(text)))))).toMatchObject({
      code: 'login_unavailable',
    })
  })
})
