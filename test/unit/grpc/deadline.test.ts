import { setTimeout as delay, setImmediate as tick } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Deadline } from '../../../src/grpc/deadline.js'

it('a deadline beyond the longest timer does not fire at once', async () => {
  using deadline = new Deadline(2 ** 32)
  await delay(20)
  await tick()
  expect(deadline.signal.aborted).toBe(false)
})
