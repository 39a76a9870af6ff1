import { runtimeTests } from './runtime-tests.ts'

await runtimeTests('node-24')
