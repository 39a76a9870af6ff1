import { serverCeiling } from './server-ceiling.ts'

export const connect = serverCeiling(4)
