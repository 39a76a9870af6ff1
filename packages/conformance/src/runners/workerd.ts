import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Miniflare, supportedCompatibilityDate } from 'miniflare'
import type { OrgHost } from '../host/org-host.ts'
import type { CaseResult } from '../suite/harness.ts'
import { bundleSuite } from './support/bundle.ts'
import type { RuntimeReport } from './support/runtime-report.ts'

/** The real workerd, with the newest compatibility date it knows; the suite runs within one request. */
export async function runWorkerd(runtime: 'workerd' | 'workerd-nodejs-compat', host: OrgHost, only = ''): Promise<RuntimeReport> {
  const tail = `
    export default {
      async fetch(request) {
        const { hostUrl, only } = await request.json()
        return Response.json(await run(hostUrl, only))
      },
    }`
  const miniflare = new Miniflare({
    modules: true,
    script: await bundleSuite(runtime, '@sfstream/cloudflare', { tail }),
    compatibilityDate: supportedCompatibilityDate,
    compatibilityFlags: runtime === 'workerd' ? [] : ['nodejs_compat'],
  })
  try {
    const body = JSON.stringify({ hostUrl: host.url, only })
    const response = await miniflare.dispatchFetch('http://worker/', { method: 'POST', body })
    return { runtime, version: workerdVersion(), results: (await response.json()) as CaseResult[] }
  } finally {
    await miniflare.dispose()
  }
}

function workerdVersion(): string {
  const fromMiniflare = createRequire(createRequire(import.meta.url).resolve('miniflare'))
  return (JSON.parse(readFileSync(fromMiniflare.resolve('workerd/package.json'), 'utf8')) as { version: string }).version
}
