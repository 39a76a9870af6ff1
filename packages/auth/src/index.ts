// Values

// Types
export type { AuthProvider, OrgSession } from '@sfstream/core'
export type { AccessTokenOptions } from './access-token.ts'
export { accessToken } from './access-token.ts'
export type { ClientCredentialsOptions } from './client-credentials.ts'
export { clientCredentials } from './client-credentials.ts'
export type { JwtBearerOptions } from './jwt-bearer.ts'
export { jwtBearer } from './jwt-bearer.ts'
export type { LoginHostOptions } from './login-host.ts'
export type { PasswordOptions } from './password.ts'
export { password } from './password.ts'
export type { PrivateKey } from './private-key.ts'
export type { RefreshTokenOptions } from './refresh-token.ts'
export { refreshToken } from './refresh-token.ts'
export type { SoapLoginOptions } from './soap-login.ts'
export { soapLogin } from './soap-login.ts'
