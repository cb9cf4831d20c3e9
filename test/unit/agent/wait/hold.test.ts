import { expect, it } from 'vitest'
import { Hold } from '../../../../src/agent/wait/hold.js'

it('counts the time since the condition first held without interruption, and restarts after an interruption', () => {
  let now = 100
  const hold = new Hold(30, () => now)
  expect(hold.end()).toBeNull()
  expect(hold.begin()).toBe(true)
  now += 20
  expect(hold.begin()).toBe(false)
  expect([hold.heldMs, hold.leftMs, hold.breaks]).toEqual([20, 10, 1])
  expect(hold.end()).toBe(20)
  expect([hold.isRunning, hold.heldMs, hold.leftMs, hold.breaks]).toEqual([false, 0, 30, 2])
  hold.begin()
  now += 40
  expect([hold.heldMs, hold.leftMs]).toEqual([40, 0])
})
