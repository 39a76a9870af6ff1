import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { OrgHost } from '../../src/host/org-host.ts'

const conformance = fileURLToPath(new URL('../..', import.meta.url))

/** A page's script with the built packages in it, as a user's bundler would make it. */
async function bundlePage(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: conformance, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    // The workspace's own settings would lead to the sources.
    tsconfigRaw: '{}',
    logLevel: 'silent',
  })
  return outputFiles[0]!.text
}

/**
 * A page at `/page/` of the host, with this script and a session of the org as `window.session`, and nothing else at `/other/`. `before`
 * is plain script that runs first.
 */
export async function servePage(host: OrgHost, script: string, before: string): Promise<void> {
  const first = `window.session = ${JSON.stringify(host.org.session())}; ${before}`
  host.serve('/page/page.js', 'text/javascript', await bundlePage(script))
  host.serve(
    '/page/',
    'text/html',
    `<!doctype html><title>Orders</title><script>${first}</script><script type="module" src="page.js"></script>`,
  )
  host.serve('/other/', 'text/html', '<!doctype html><title>Elsewhere</title>')
}
