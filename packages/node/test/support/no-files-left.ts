// Asks the CLI for a login where the process may open no more files.
import { openSync } from 'node:fs'
import { webPlatform } from '@sfstream/core/internal'
import { sfCli } from '../../src/sf-cli.ts'

const { signal } = new AbortController()
const ask = () => sfCli().getSession({ signal, platform: webPlatform() })
// What is loaded when it is first needed.
await ask().catch(() => {})
try {
  for (;;) openSync('/dev/null', 'r')
} catch {
  // That was the last one.
}
await ask().catch((error: { code?: string; retryable?: boolean }) => console.log(error.code, error.retryable))
console.log('alive')
