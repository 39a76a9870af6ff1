// The directions of ARCHITECTURE.md, "Directions". Arrows say what may be imported.
const only = (name, from, allowed) => ({ name, severity: 'error', from: { path: from }, to: { path: '^packages/', pathNot: allowed } })
const core = '^packages/core/src'

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    only('core-stands-alone', `${core}/`, `${core}/`),
    only('auth-and-rest-on-core', '^packages/(auth|rest)/src', '^packages/(core/(src|dist)|$1/)'),
    only('adapters-on-core-and-auth', '^packages/(node|browser|deno)/src', '^packages/($1|core|auth)/'),
    only('relay-on-core', '^packages/relay/src', '^packages/(relay|core)/'),
    only('cloudflare-on-core-auth-relay', '^packages/cloudflare/src', '^packages/(cloudflare|core|auth|relay)/'),
    only('mock-org-on-wire-types', '^packages/mock-org/src', '^packages/(mock-org|core)/'),
    {
      name: 'mock-org-imports-types-only',
      comment: 'One codec on both sides would hide mirrored bugs.',
      severity: 'error',
      from: { path: '^packages/mock-org/src' },
      to: { path: '^packages/core/', dependencyTypesNot: ['type-only'] },
    },
    only('cli-on-its-parts', '^packages/cli/src', '^packages/(cli|core|node|rest|mock-org|relay|browser)/'),
    {
      name: 'nobody-on-bench',
      severity: 'error',
      from: { path: '^packages/(?!bench/)' },
      to: { path: '^packages/bench/' },
    },
    {
      name: 'bench-on-what-is-public',
      comment: 'It measures what users get, and drives the relay as `pnpm relay-load` does.',
      severity: 'error',
      from: { path: '^packages/bench/' },
      to: { path: '^packages/', pathNot: '^packages/(bench/|conformance/relay-load/|[^/]+/src/(index|client|explain)[.]ts)' },
    },

    // Inside core.
    only('async-imports-nothing', `${core}/async/`, `${core}/(async/|platform)`),
    only('wire-stands-alone', `${core}/bayeux/wire/`, `${core}/(bayeux/wire/|errors|kind-of|events/stream-event)`),
    only('machine-on-wire', `${core}/bayeux/machine/`, `${core}/(bayeux/machine/|bayeux/wire/|errors|source/source-status|options)`),
    only('transport-below-session', `${core}/bayeux/transport/`, `${core}/(bayeux/transport/|async/|errors|platform)`),
    only(
      'session-runs-the-machine',
      `${core}/bayeux/session/`,
      `${core}/(bayeux/|source/|async/|errors|platform|options|auth-provider|provider-failed|checked-session|org-key|api-version|events/)`,
    ),
    only(
      'fan-out-above-the-client',
      `${core}/fan-out/`,
      `${core}/(fan-out/|delivery/subscription|source/|async/|events/|errors|platform|client-status|streaming-client|bayeux/wire/message)`,
    ),
    only(
      'delivery-knows-the-port-only',
      `${core}/delivery/`,
      `${core}/(delivery/|source/|async/|events/|errors|platform|options|shape|client-status|bayeux/wire/message)`,
    ),
    {
      name: 'delivery-never-sees-bayeux',
      severity: 'error',
      from: { path: `${core}/delivery/` },
      to: { path: `${core}/bayeux/`, dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(/dist/|/test/)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
}
