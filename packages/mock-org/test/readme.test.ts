import { readdirSync, readFileSync } from 'node:fs'
import { createMockOrg, scenarioTitles } from '@sfstream/mock-org'
import { describe, expect, it } from 'vitest'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8').replace(/ +\|/g, ' |')

describe('the README', () => {
  it('lists every scenario, switch and channel as they are', () => {
    const org = createMockOrg()
    for (const [id, title] of Object.entries(scenarioTitles)) expect(readme).toContain(`| ${id} | ${title} |`)
    for (const name of Object.keys(org.switches)) expect(readme).toContain(`| \`${name}\` |`)
    for (const channel of org.channels) expect(readme).toContain(`\`${channel}\``)
  })
})

describe('the sources', () => {
  it('import node modules in the server alone', () => {
    const folder = new URL('../src/', import.meta.url)
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
    const using = files.filter((name) => /from 'node:/.test(readFileSync(new URL(name, folder), 'utf8')))
    expect(using).toEqual(['node-request.ts', 'node-server.ts'])
    expect(files.length).toBeGreaterThan(50)
  })
})
