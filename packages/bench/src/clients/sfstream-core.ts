import { createClient } from '@sfstream/core'
import { sfstream } from './sfstream.ts'

export { createClient }
export const connect = sfstream(createClient)
