#!/usr/bin/env node
import { execute } from '@oclif/core'

// What Node has to say of our dependencies is for whoever debugs them.
if (!process.argv.includes('--debug')) process.removeAllListeners('warning')

await execute({ dir: import.meta.url })

// All is said: what a failed connection left behind (a closing channel's timer, a session with a host that
// went mute) must not hold the process. An empty write calls back when all before it has been handed over.
for (const stream of [process.stdout, process.stderr])
  await new Promise((resolve) => stream.write('', resolve))
process.exit()
