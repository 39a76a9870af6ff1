import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificate {
  /** Where the certificate is, in PEM. */
  path: string
  cert: string
  key: string
  remove(): void
}

/** A certificate that nobody but its holder vouches for, made anew: for `localhost` and 127.0.0.1. */
export function selfSigned(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'sfstream-tls-'))
  const [key, path] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
  ]
  execFileSync('openssl', [...args, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', path], {
    stdio: 'ignore',
  })
  return {
    path,
    cert: readFileSync(path, 'utf8'),
    key: readFileSync(key, 'utf8'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
