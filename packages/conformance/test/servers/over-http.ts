import { httpTransport } from '@sfstream/node'
import { wire } from './test-client.ts'

// For a test file that runs others over node:http: imported before them.
wire.transport = (platform) => httpTransport({ platform })
