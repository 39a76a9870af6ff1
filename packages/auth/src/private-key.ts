import { AuthenticationError } from '@sfstream/core'

/** Web Crypto's. Named by what makes one: types of Node alone know no global of that name, and those of jose cannot be read from CommonJS. */
export type CryptoKey = Extract<Awaited<ReturnType<typeof crypto.subtle.generateKey>>, { type: string }>

/** An RSA private key: PEM (PKCS#8 or PKCS#1), JWK, or a `CryptoKey` for RSASSA-PKCS1-v1_5 with SHA-256. */
export type PrivateKey = string | CryptoKey | Readonly<Record<string, unknown>>

const convert = 'Convert it: openssl pkcs8 -topk8 -nocrypt -in key.pem -out key.pk8.pem'

/**
 * Checks a key's form without reading it, so that a wrong one is refused at construction.
 * @throws AuthenticationError `missing_credential`, `bad_option`
 */
export function checkedKey(key: PrivateKey): PrivateKey {
  if (key === undefined || key === null || key === '') {
    throw new AuthenticationError({
      code: 'missing_credential',
      message: 'jwtBearer: `privateKey` is missing.',
      remediation: 'Pass the RSA private key whose certificate the app holds: PEM text, a JWK, or a CryptoKey.',
    })
  }
  if (typeof key !== 'string') return key
  // Environment variables often carry line ends as the two characters \n.
  const pem = key.replaceAll('\\n', '\n').trim()
  const label = /^-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem)?.[1]
  if (label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type:.*ENCRYPTED/m.test(pem))
    throw badKey('is encrypted', 'Decrypt it: openssl pkcs8 -topk8 -nocrypt -in key.pem -out key.pk8.pem')
  if (label === undefined)
    throw badKey('is not PEM text', 'Pass the content of the key file, beginning with -----BEGIN PRIVATE KEY-----, not its path.')
  if (label !== 'PRIVATE KEY' && label !== 'RSA PRIVATE KEY')
    throw badKey(`is a PEM ${label.toLowerCase()}`, `An RSA private key is needed. ${convert}`)
  return pem
}

/**
 * The key for Web Crypto. Asynchronous, so done at the first login.
 * @throws AuthenticationError `bad_option`
 */
export async function importedKey(key: PrivateKey): Promise<CryptoKey> {
  // Loaded on first use: only this flow needs it, and it has no CommonJS build.
  const { importJWK, importPKCS8 } = await import('jose')
  try {
    if (typeof key === 'string') return await importPKCS8(/BEGIN RSA/.test(key) ? asPkcs8(key) : key, 'RS256')
    if (isCryptoKey(key)) return key
    const imported = await importJWK(key as Parameters<typeof importJWK>[0], 'RS256')
    if (isCryptoKey(imported)) return imported
  } catch {
    // The cause may quote the key's text; the message below says all that is safe.
  }
  throw badKey('cannot be read', `An unencrypted RSA private key is needed. ${convert}`)
}

function badKey(why: string, remediation: string): AuthenticationError {
  return new AuthenticationError({ code: 'bad_option', message: `jwtBearer: \`privateKey\` ${why}.`, remediation })
}

function isCryptoKey(key: unknown): key is CryptoKey {
  return Object.prototype.toString.call(key) === '[object CryptoKey]'
}

/** Web Crypto reads PKCS#8 only. PKCS#8 is PKCS#1 inside SEQUENCE { INTEGER 0, rsaEncryption, OCTET STRING }: RFC 5958, RFC 8017 A.1. */
function asPkcs8(pem: string): string {
  const binary = atob(pem.replace(/-----[^-]+-----|\s/g, ''))
  const pkcs1 = Array.from(binary, (character) => character.charCodeAt(0))
  const version = [0x02, 0x01, 0x00]
  const rsaEncryption = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00]
  const pkcs8 = der(0x30, [...version, ...rsaEncryption, ...der(0x04, pkcs1)])
  return `-----BEGIN PRIVATE KEY-----\n${btoa(String.fromCharCode(...pkcs8))}\n-----END PRIVATE KEY-----`
}

function der(tag: number, content: readonly number[]): number[] {
  const length = content.length
  if (length < 0x80) return [tag, length, ...content]
  if (length < 0x100) return [tag, 0x81, length, ...content]
  return [tag, 0x82, length >> 8, length & 0xff, ...content]
}
