export * from '@sfstream/auth'
export * from '@sfstream/core'
export { createClient } from './client.ts'
