import { createClient } from '@sfstream/node'
import { sfstream } from './sfstream.ts'

export { createClient }
export const connect = sfstream(createClient)
