import { httpTransport } from '@sfstream/node'
import { wire as servers } from '../servers/test-client.ts'
import { share } from './fuzz-runs.ts'
import { wire } from './hostile-rig.ts'
import { memoryAgent } from './memory-agent.ts'

// For a test file that runs others over node:http: imported before them.
wire.transport = (platform, origin) => httpTransport({ platform, agent: memoryAgent(platform.fetch, origin) })
servers.transport = (platform) => httpTransport({ platform })
share.of = 0.2
