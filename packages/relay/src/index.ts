export type { StreamEvent } from '@sfstream/core'
