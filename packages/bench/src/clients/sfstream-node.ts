import { createClient } from '@sfstream/node'
import { sfstream } from './sfstream.ts'

export const connect = sfstream(createClient)
