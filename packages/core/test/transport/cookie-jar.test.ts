import { describe, expect, it } from 'vitest'
import { cookieJar } from '../../src/bayeux/transport/cookie-jar.ts'

const org = new URL('https://acme.my.salesforce.com/cometd/66.0/')

/** What a reply from `from` with these lines makes a request to `to` carry. */
function sent(lines: string[], to = org, from = org, now = () => 0): string | undefined {
  const jar = cookieJar(now)
  jar.store(from, lines)
  return jar.header(to)
}

describe('cookies go where they came from, and nowhere else', () => {
  const other = (host: string): URL => new URL(`https://${host}/cometd/66.0/`)

  it.each([
    ['no domain', 'a=1; Path=/'],
    ['its own host', 'a=1; Path=/; Domain=acme.my.salesforce.com'],
    ['its own host with a dot', 'a=1; Path=/; Domain=.ACME.my.salesforce.com'],
    ['a parent', 'a=1; Path=/; Domain=.salesforce.com'],
  ])('%s: back to the host', (_, line) => {
    expect(sent([line])).toBe('a=1')
  })

  it.each([
    ['another host', 'a=1; Domain=evil.example'],
    ['a sibling', 'a=1; Domain=other.my.salesforce.com'],
    ['a child', 'a=1; Domain=deep.acme.my.salesforce.com'],
    ['a name that ends alike', 'a=1; Domain=me.my.salesforce.com'],
    ['a public suffix', 'a=1; Domain=com'],
    ['a public suffix with a dot', 'a=1; Domain=.com'],
    ['a dot alone', 'a=1; Domain=.'],
    ['two dots', 'a=1; Domain=..com'],
    ['two domains, the last of them foreign', 'a=1; Domain=acme.my.salesforce.com; Domain=evil.example'],
  ])('%s in Domain: the cookie is ignored, and goes there no more than back', (_, line) => {
    expect(sent([`${line}; Path=/`])).toBeUndefined()
    // Should the org ever move there.
    for (const host of ['evil.example', 'other.my.salesforce.com', 'deep.acme.my.salesforce.com', 'evil.com', 'com'])
      expect(sent([`${line}; Path=/`], other(host))).toBeUndefined()
  })

  it.each([
    ['another host', 'evil.example'],
    ['a host that ends alike', 'evilacme.my.salesforce.com'],
    ['a subdomain', 'deep.acme.my.salesforce.com'],
    ['the parent', 'my.salesforce.com'],
  ])('a cookie without Domain never goes to %s', (_, host) => {
    expect(sent(['a=1; Path=/'], other(host))).toBeUndefined()
  })

  it('a cookie of a parent domain goes to its subdomains, and not to names that end alike', () => {
    const line = ['a=1; Path=/; Domain=my.salesforce.com']
    expect(sent(line, other('beta.my.salesforce.com'))).toBe('a=1')
    expect(sent(line, other('evilmy.salesforce.com'))).toBeUndefined()
    expect(sent(line, other('my.salesforce.com.evil.example'))).toBeUndefined()
  })

  it('addresses have no parent domains', () => {
    const address = new URL('http://127.0.0.1/')
    expect(sent(['a=1; Path=/; Domain=0.0.1'], address, address)).toBeUndefined()
    expect(sent(['a=1; Path=/; Domain=0.1', 'b=1; Path=/'], address, address)).toBe('b=1')
    const six = new URL('http://[::1]/')
    expect(sent(['a=1; Path=/; Domain=1]'], six, six)).toBeUndefined()
  })

  it('one that is secure goes over TLS or to loopback only', () => {
    const secure = ['a=1; Path=/; Secure']
    expect(sent(secure)).toBe('a=1')
    expect(sent(secure, new URL('http://acme.my.salesforce.com/'))).toBeUndefined()
    const local = new URL('http://127.0.0.1:8080/')
    expect(sent(secure, local, local)).toBe('a=1')
    const named = new URL('http://127.0.0.1.evil.example/')
    expect(sent(secure, named, named)).toBeUndefined()
  })

  it('paths match by whole segments', () => {
    expect(sent(['a=1; Path=/cometd'])).toBe('a=1')
    expect(sent(['a=1; Path=/comet'])).toBeUndefined()
    expect(sent(['a=1; Path=/cometd/66.0/'])).toBe('a=1')
    expect(sent(['a=1'])).toBe('a=1')
    expect(sent(['a=1'], new URL('https://acme.my.salesforce.com/services/'))).toBeUndefined()
  })

  it('no jar knows what another holds', () => {
    const [one, two] = [cookieJar(() => 0), cookieJar(() => 0)]
    one.store(org, ['a=1; Path=/'])
    expect(two.header(org)).toBeUndefined()
    two.clear()
    expect(one.header(org)).toBe('a=1')
  })
})

describe('cookies end', () => {
  it('at Max-Age, which wins, or Expires', () => {
    let now = 0
    const jar = cookieJar(() => now)
    jar.store(org, [
      'aged=1; Path=/; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
      'dated=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:20 GMT',
      'odd=1; Path=/; Expires=never; Max-Age=soon',
    ])
    expect(jar.header(org)).toBe('aged=1; dated=1; odd=1')
    now = 10_000
    expect(jar.header(org)).toBe('dated=1; odd=1')
    now = 20_000
    expect(jar.header(org)).toBe('odd=1')
    jar.store(org, ['odd=2; Path=/; Max-Age=-1'])
    expect(jar.header(org)).toBeUndefined()
  })
})

describe('the jar is bounded', () => {
  it('keeps the newest hundred', () => {
    const jar = cookieJar(() => 0)
    jar.store(
      org,
      Array.from({ length: 10_000 }, (_, at) => `c${at}=1; Path=/`),
    )
    const kept = jar.header(org)?.split('; ') ?? []
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([100, 'c9900=1', 'c9999=1'])
  })

  it.each([
    ['too long a value', `a=${'x'.repeat(5_200)}`],
    ['too long a path', `a=1; Path=/${'x'.repeat(5_200)}`],
    ['a control character', 'a=1\u0001; Path=/'],
    ['a line end', 'a=1\r\nauthorization: x; Path=/'],
    ['no name', '=1; Path=/'],
    ['no pair', 'a; Path=/'],
    ['nothing', ''],
  ])('%s is left out', (_, line) => {
    expect(sent([line])).toBeUndefined()
  })

  it('a name like a built-in is a name', () => {
    expect(sent(['__proto__=1; Path=/', 'constructor=2; Path=/'])).toBe('__proto__=1; constructor=2')
  })
})
