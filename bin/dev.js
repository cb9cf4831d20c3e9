#!/usr/bin/env -S node --import tsx
// The command line from its TypeScript sources. The way of oclif itself to do that fails with current tsx.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Config } from '@oclif/core'
import { main } from '../src/cli/main.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pjson = JSON.parse(await readFile(`${root}/package.json`, 'utf8'))
pjson.oclif.commands = './src/commands'
pjson.oclif.hooks = { command_not_found: './src/cli/command-not-found.ts' }

const config = await Config.load({ root, pjson, ignoreManifest: true, devPlugins: false })
await main(config)
