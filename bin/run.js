#!/usr/bin/env node
import { fileURLToPath } from 'node:url'
import { main } from '../dist/cli/main.js'

// What Node and grpc-js have to say of our dependencies is for whoever debugs them.
if (!process.argv.includes('--debug')) {
  process.removeAllListeners('warning')
  process.env.GRPC_VERBOSITY ??= 'NONE'
}

await main(fileURLToPath(new URL('..', import.meta.url)))
