import { describe, expect, it } from 'vitest'
import * as core from '../src/index.ts'

const classes = [
  core.AuthenticationError,
  core.HandshakeError,
  core.SubscribeError,
  core.ReplayError,
  core.LimitError,
  core.TransportError,
  core.ProtocolError,
  core.StateError,
]
const details = { code: 'network', message: 'It broke.', remediation: 'Mend it.' } as const

describe('errors', () => {
  it.each(classes)('%o is an instance of itself and the base, and of no other class', (Class) => {
    const error = new Class(details)
    expect(classes.filter((other) => error instanceof other)).toEqual([Class])
    expect(error).toBeInstanceOf(core.SfStreamError)
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe(Class.brand)
  })

  it('the base is no instance of its subclasses', () => {
    const error = new core.SfStreamError(details)
    expect(classes.filter((other) => error instanceof other)).toEqual([])
    expect(error).toMatchObject({ retryable: false, channel: undefined, server: undefined })
    expect(error).not.toHaveProperty('cause')
  })

  it('an error of another copy of the package is recognised; strangers are not', () => {
    const foreign = Object.defineProperty(new Error('x'), Symbol.for('sfstream.error'), { value: true })
    foreign.name = 'LimitError'
    expect(foreign).toBeInstanceOf(core.LimitError)
    expect(foreign).toBeInstanceOf(core.SfStreamError)
    expect(foreign).not.toBeInstanceOf(core.ReplayError)
    for (const stranger of [new Error('x'), null, undefined, 'text', {}]) expect(stranger instanceof core.SfStreamError).toBe(false)
  })
})
