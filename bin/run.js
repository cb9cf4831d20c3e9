#!/usr/bin/env node
import { execute } from '@oclif/core'

// What Node and grpc-js have to say of our dependencies is for whoever debugs them.
if (!process.argv.includes('--debug')) {
  process.removeAllListeners('warning')
  process.env.GRPC_VERBOSITY ??= 'NONE'
}

await execute({ dir: import.meta.url })
