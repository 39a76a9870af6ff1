import { runtimeTests } from './runtime-tests.ts'

await runtimeTests('bun')
