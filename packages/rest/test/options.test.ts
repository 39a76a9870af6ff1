import { AuthenticationError } from '@sfstream/core'
import { createRestClient } from '@sfstream/rest'
import { expect, test } from 'vitest'

test.each([undefined, null, {}, { auth: undefined }, { auth: 'token' }])(
  'createRestClient(%j) says that auth is what it wants',
  (options) => {
    const make = (): unknown => createRestClient(options as never)
    expect(make).toThrow(AuthenticationError)
    expect(make).toThrow(expect.objectContaining({ code: 'missing_credential', message: expect.stringContaining('`auth` is ') }))
  },
)
