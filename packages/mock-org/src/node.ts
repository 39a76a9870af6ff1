export { answerNodeRequest } from './node-request.ts'
export type { MockOrgServer, MockOrgServerOptions } from './node-server.ts'
export { startMockOrgServer } from './node-server.ts'
