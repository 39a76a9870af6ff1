import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { Miniflare, supportedCompatibilityDate } from 'miniflare'
import { attempt, type RowContext } from './row.ts'

const here = fileURLToPath(new URL('.', import.meta.url))

const workers = {
  'a Worker with a client': `
    import { accessToken, createClient } from '@sfstream/cloudflare'
    export default { fetch(request) {
      const client = createClient({ auth: accessToken({ accessToken: '00D000000000001!BENCH', instanceUrl: 'https://example.my.salesforce.com' }), replayStore: null })
      return new Response(client.state)
    } }`,
  'an empty Worker': `export default { fetch: () => new Response('idle') }`,
}

/** From nothing to the first reply: workerd's start, the script's, a client made. An empty Worker shows what of it is workerd's. */
export async function workerd(context: RowContext): Promise<void> {
  const scripts = await Promise.all(Object.entries(workers).map(async ([name, source]) => [name, await bundled(source)] as const))
  for (let round = 0; round < (context.quick ? 2 : 7); round++) {
    for (const [subject, script] of scripts) {
      await attempt(context, subject, async () => {
        const startedAt = performance.now()
        const miniflare = new Miniflare({ modules: true, script, compatibilityDate: supportedCompatibilityDate })
        try {
          const text = await (await miniflare.dispatchFetch('http://worker/')).text()
          if (text !== 'idle') throw new Error(`it answered ${text}`)
          const ms = performance.now() - startedAt
          context.measured.add({ row: 'workerd', metric: 'start to first reply', setting: 'cold', subject }, 'ms', ms)
        } finally {
          await miniflare.dispose()
        }
      })
    }
  }
}

async function bundled(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: here, loader: 'js' },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*', 'cloudflare:*'],
    tsconfigRaw: '{}',
    logLevel: 'silent',
  })
  return outputFiles[0]!.text
}
