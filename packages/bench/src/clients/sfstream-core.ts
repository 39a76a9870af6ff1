import { createClient } from '@sfstream/core'
import { sfstream } from './sfstream.ts'

export const connect = sfstream(createClient)
