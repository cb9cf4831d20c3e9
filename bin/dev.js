#!/usr/bin/env -S node --import tsx
// Runs the command line from its TypeScript sources. oclif's own support for TypeScript fails with current tsx.
const { join } = require('node:path')
const { Config } = require('@oclif/core')
const pjson = require('../package.json')

async function start() {
  const { main } = await import('../src/cli/main.ts')
  const { runCommandLine } = await import('../src/cli/words/command-line.ts')
  const root = join(__dirname, '..')
  pjson.oclif.commands = './src/commands'
  const config = await Config.load({ root, pjson, ignoreManifest: true })
  await main((argv) => runCommandLine(argv, config))
}

void start()
