// Lets plain Node run the sources: `node --import ./packages/conformance/sources.mjs file.ts`. Node strips the types itself.
import { registerHooks } from 'node:module'

const packages = new URL('../', import.meta.url)

registerHooks({
  resolve(specifier, context, next) {
    const match = /^@sfstream\/([^/]+)(?:\/(.+))?$/.exec(specifier)
    return match
      ? { url: new URL(`${match[1]}/src/${match[2] ?? 'index'}.ts`, packages).href, shortCircuit: true }
      : next(specifier, context)
  },
})
