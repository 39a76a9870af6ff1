#!/usr/bin/env node
import { main } from './main.ts'
import { terminal } from './terminal.ts'

const own = terminal(process.stdout, process.stderr, process.env)
process.exitCode = await main(process.argv.slice(2), { env: process.env, terminal: own })
// No process.exit else: what is still on its way to a slow reader must arrive.
if (own.givenUp) process.exit()
