import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'

const conformance = fileURLToPath(new URL('..', import.meta.url))

/** What a bundler makes of an import from what is built: the text, and the packages whose code is in it. */
async function bundle(contents: string, conditions: readonly string[]): Promise<{ text: string; packages: string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: conformance, loader: 'ts' },
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: [...conditions],
    tsconfigRaw: '{}',
    absWorkingDir: conformance,
    logLevel: 'silent',
  })
  const [output] = Object.values(metafile.outputs)
  const used = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  const names = used.map(
    ([path]) =>
      /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? /packages\/([^/]+)|\.\.\/([^/]+)/.exec(path)?.slice(1).find(Boolean),
  )
  return { text: outputFiles[0]!.text, packages: [...new Set(names.filter((name) => name !== undefined))].sort() }
}

const page = ['browser']
const worker = ['workerd', 'worker', 'browser']

describe.each([
  ['a page', '@sfstream/browser', page],
  ['a Worker', '@sfstream/cloudflare', worker],
])('%s', (_, adapter, conditions) => {
  test('has no Node code in it, whatever it imports', async () => {
    const { text, packages } = await bundle(`import * as all from '${adapter}'; globalThis.all = all`, conditions)
    expect(packages).toContain('core')
    for (const name of ['undici', 'node-fetch-native', 'node-fetch']) expect(packages).not.toContain(name)
    // An unresolved `node:` module would have failed the build; a `require` would fail in the page.
    for (const word of [/["'`]node:/, /\brequire\(/, /\bBuffer\b/, /\bprocess\.(?!env\b)/, /__dirname/]) expect(text).not.toMatch(word)
  })

  test('ships no login but the one it uses', async () => {
    const { packages, text } = await bundle(
      `import { accessToken, createClient } from '${adapter}'; globalThis.run = () => createClient({ auth: accessToken({ accessToken: 'a', instanceUrl: 'b' }) })`,
      conditions,
    )
    expect(packages).toContain('core')
    for (const name of ['jose', 'ofetch', 'ufo', 'destr', 'valibot']) expect(packages).not.toContain(name)
    expect(text).not.toContain('urn:ietf:params:oauth:grant-type')
  })

  test('does nothing when it is imported', async () => {
    const { text } = await bundle(`import '${adapter}'`, conditions)
    expect(text.trim()).toBe('')
  })
})

test('a page ships no cookie jar: the browser has one', async () => {
  const { text } = await bundle(`import { createClient } from '@sfstream/browser'; globalThis.a = createClient`, page)
  expect(text).toContain('include')
  expect(text).not.toContain('max-age')
})

test('a page that is fed by a relay ships nothing that talks to an org', async () => {
  const { packages, text } = await bundle(
    `import { createClient } from '@sfstream/browser/source'; import { relay } from '@sfstream/relay/client'; globalThis.run = () => createClient({ source: relay('/events') })`,
    page,
  )
  expect(packages).toEqual(['browser', 'core', 'eventsource-parser', 'relay'])
  for (const word of ['/meta/connect', '/meta/handshake', 'Bearer', 'cometd/']) expect(text).not.toContain(word)
})

test('a page that keeps positions elsewhere ships no IndexedDB store, a Worker that only drains no Durable Object', async () => {
  expect((await bundle(`import { createClient } from '@sfstream/browser'; globalThis.a = createClient`, page)).text).not.toContain(
    'indexedDB',
  )
  const { text } = await bundle(`import { drain } from '@sfstream/cloudflare'; globalThis.a = drain`, worker)
  expect(text).not.toContain('setAlarm')
})
