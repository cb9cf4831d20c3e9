import { expect, test } from 'vitest'
import { freePorts } from '../support/ports.js'

/** Of 20,000 ports, two independent draws of this size would share a dozen. */
const COUNT = 500

test('a port that has been handed out is not handed out again, whether or not something listens on it', async () => {
  const ports = (await Promise.all([freePorts(COUNT), freePorts(COUNT)])).flat()
  expect(new Set(ports).size).toBe(2 * COUNT)
})
