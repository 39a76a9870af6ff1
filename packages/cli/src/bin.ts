#!/usr/bin/env node
import { main } from './main.ts'
import { terminal } from './terminal.ts'

// No process.exit: what is still on its way to a slow reader must arrive.
process.exitCode = await main(process.argv.slice(2), { env: process.env, terminal: terminal(process.stdout, process.stderr, process.env) })
