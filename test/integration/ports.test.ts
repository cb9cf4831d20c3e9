import { expect, test } from 'vitest'
import { freePorts } from '../support/ports.js'

/** Two independent draws of this size from 20,000 ports would share about a dozen. */
const COUNT = 500

test('freePorts does not return a port twice, whether or not a server listens on it', async () => {
  const ports = (await Promise.all([freePorts(COUNT), freePorts(COUNT)])).flat()
  expect(new Set(ports).size).toBe(2 * COUNT)
})
