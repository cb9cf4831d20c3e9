import { expect, it } from 'vitest'
import { ConditionTimer } from '../../../../src/agent/wait/condition-timer.js'

it('counts the time since the condition first held without interruption, and restarts after an interruption', () => {
  let now = 100
  const timer = new ConditionTimer(30, () => now)
  expect(timer.end()).toBeNull()
  expect(timer.begin()).toBe(true)
  now += 20
  expect(timer.begin()).toBe(false)
  expect([timer.heldMs, timer.leftMs, timer.breaks]).toEqual([20, 10, 1])
  expect(timer.end()).toBe(20)
  expect([timer.isRunning, timer.heldMs, timer.leftMs, timer.breaks]).toEqual([false, 0, 30, 2])
  timer.begin()
  now += 40
  expect([timer.heldMs, timer.leftMs]).toEqual([40, 0])
})
