import { createClient, fileReplayStore } from '@sfstream/node'
import { sfstream } from './sfstream.ts'

/** Every position is saved, as by default: what durability costs. */
export const connect = sfstream(createClient, { replayStore: fileReplayStore({ path: './replay' }) })
