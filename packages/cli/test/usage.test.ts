import { describe, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { lines, sfstream } from './support.ts'

async function finished(args: readonly string[], env: Record<string, string> = {}) {
  const run = sfstream(args, env)
  return { status: await run.status, out: run.out.text, err: run.err.text }
}

describe('help', () => {
  it.each([[['--help']], [['-h']], [['help']]])('%j lists the commands and the exit codes', async (args) => {
    const { status, out, err } = await finished(args)
    expect({ status, err }).toEqual({ status: 0, err: '' })
    for (const name of ['tail', 'publish', 'mock', 'demo', 'EXIT CODES']) expect(out).toContain(name)
    expect(out).not.toContain('demo-consumer')
    expect(out).not.toContain('\u001b')
  })

  it.each([
    [
      'tail',
      [
        '--replay',
        '--until',
        '--limit',
        '--json',
        '--commit',
        '--store',
        '--consumer',
        '--api-version',
        '--instance-url',
        '--login-url',
        '--sandbox',
        '--verbose',
        'SF_PRIVATE_KEY_FILE',
        'EXIT CODES',
      ],
    ],
    ['publish', ['<CHANNEL>', '<JSON>', 'SF_ACCESS_TOKEN', 'EXIT CODES']],
    ['mock', ['--port', '--publish', '--seed', '--scenario', '--json']],
    ['demo', ['simulated org']],
  ])('%s --help explains everything it takes', async (name, words) => {
    const { status, out } = await finished([name, '--help'])
    expect(status).toBe(0)
    for (const word of words) expect(out).toContain(word)
  })

  it('--version says it', async () => {
    expect(await finished(['--version'])).toMatchObject({ status: 0, out: `${manifest.version}\n` })
  })

  it('is coloured when asked for, plain in a pipe and where NO_COLOR is set', async () => {
    expect((await finished(['tail', '--help'], { FORCE_COLOR: '1' })).out).toContain('\u001b[')
    expect((await finished(['tail', '--help'], { FORCE_COLOR: '1', NO_COLOR: '1' })).out).not.toContain('\u001b')
  })
})

describe('wrong usage ends with 2, says what is wrong on stderr and nothing on stdout', () => {
  const env = { SF_ACCESS_TOKEN: '00Dxx0000001gER!AQ', SF_INSTANCE_URL: 'http://127.0.0.1:1' }
  it.each([
    [[], 'No command was given'],
    [['bogus'], "'bogus' is not a command"],
    [['constructor'], "'constructor' is not a command"],
    [['tail'], '<channel> is missing'],
    [['tail', '/event/A__e', '--nope'], "Unknown option '--nope'"],
    [['tail', '/event/A__e', '--json=yes'], '--json'],
    [['tail', '/event/A__e', '--limit'], '--limit'],
    [['tail', '/event/A__e', '--limit', '0'], "--limit '0' is not a whole number"],
    [['tail', '/event/A__e', '--limit', 'many'], "--limit 'many' is not a whole number"],
    [['tail', '/event/A__e', '--replay', 'yesterday'], "--replay 'yesterday'"],
    [['tail', '/event/A__e', '--until', 'noon'], "--until 'noon' is not one of caught-up"],
    [['tail', '/event/A__e', '--commit', 'later'], "--commit 'later' is not one of auto, manual"],
    [['tail', '/event/A__e', '--api-version', '12'], 'code: bad_api_version'],
    [['tail', '/event/A__e', '--instance-url', 'https://acme.lightning.force.com'], 'Lightning'],
    [
      ['tail', '/event/A__e', '--instance-url', 'https://ada:pass@acme.my.salesforce.com'],
      '--instance-url for acme.my.salesforce.com carries',
    ],
    [['tail', '/event/A__e', '--consumer', ''], '--consumer is empty'],
    [['tail', '/event/A__e', '--api-version='], '--api-version is empty'],
    [['tail', '/event/A__e', '--store', ' '], '--store is empty'],
    [['publish', '/event/A__e', '{}', '--login-url', ''], '--login-url is empty'],
    [['tail', '/event/A__e', '--sandbox', '--login-url', 'https://acme.my.salesforce.com'], 'exclude'],
    [['tail', 'no channel'], 'code: bad_channel'],
    [['tail', '/meta/connect'], 'code: '],
    [['publish', '/event/A__e'], '<json> is missing'],
    [['publish', '/event/A__e', '{}', 'more'], "'more' is one argument too many"],
    [['publish', '/event/A__e', 'not json'], 'not a JSON object'],
    [['publish', '/data/AccountChangeEvent', '{}'], 'Nothing can be published'],
    [['mock', '--port', '70000'], "--port '70000' is not a whole number from 0 to 65535"],
    [['mock', '--publish', 'fast'], "--publish 'fast'"],
    [['mock', '--scenario', 'none-such'], 'none-such'],
    [['demo', 'more'], "'more' is one argument too many"],
  ])('%j', async (args, said) => {
    const { status, out, err } = await finished(args, env)
    expect({ status, out }).toEqual({ status: 2, out: '' })
    expect(err).toContain(said)
    // Never a stack unless asked for.
    expect(err).not.toMatch(/^\s+at /m)
  })

  it('no credentials: all ways are listed', async () => {
    const { status, err } = await finished(['tail', '/event/A__e'])
    expect(status).toBe(2)
    for (const name of [
      'SF_ACCESS_TOKEN',
      'SF_INSTANCE_URL',
      'SF_CLIENT_ID',
      'SF_CLIENT_SECRET',
      'SF_LOGIN_URL',
      'SF_USERNAME',
      'SF_PASSWORD',
      'SF_SECURITY_TOKEN',
      'SF_REFRESH_TOKEN',
      'SF_PRIVATE_KEY',
    ])
      expect(err).toContain(name)
    expect(lines(err)[0]).toBe('Usage error: There are no credentials in the environment.')
  })

  it('--verbose adds where it came from', async () => {
    const { err } = await finished(['tail', 'no channel', '--verbose'], env)
    expect(err).toMatch(/^\s+at /m)
  })
})

describe("Salesforce's own replay ids", () => {
  it.each([
    [['--replay=-1'], "Salesforce's -1 is --replay new."],
    [['--replay=-2'], "Salesforce's -2 is --replay all."],
    [['--replay', '-1'], "Option '--replay' has no value, or one that begins with a dash."],
  ])('%j: what to write instead', async (args, words) => {
    const { status, err } = await finished(['tail', '/event/Order__e', ...args])
    expect(status).toBe(2)
    expect(err).toContain(words)
  })
})
