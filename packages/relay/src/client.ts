export type { Source } from '@sfstream/core'
