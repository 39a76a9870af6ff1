/** Which org: for the commands that talk to one. */
export const orgFlags = {
  'api-version': { type: 'string', description: "Such as 66.0, or latest (Default: this release's own)", valueHint: 'VERSION' },
  'instance-url': { type: 'string', description: 'Goes before SF_INSTANCE_URL', valueHint: 'URL' },
  'login-url': { type: 'string', description: 'Goes before SF_LOGIN_URL', valueHint: 'URL' },
  sandbox: { type: 'boolean', description: 'Log in at test.salesforce.com' },
} as const
