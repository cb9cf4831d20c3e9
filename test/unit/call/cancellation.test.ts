import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Cancellation } from '../../../src/call/cancellation.js'

const FOREVER = new Promise<void>(() => undefined)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** The end of a run whose calls nothing can end. */
function stubborn() {
  const [once, twice] = [new AbortController(), new AbortController()]
  const cancelAll = vi.fn()
  const end = new Cancellation({ cancelAll }, { once: once.signal, twice: twice.signal })
  const over = vi.fn()
  const waiting = end.waitFor(FOREVER).then(over)
  return { once, twice, cancelAll, end, over, waiting }
}

it('after the first stop, outstanding calls have a second to end, and a report does not wait for calls that cannot be cancelled', async () => {
  const { once, cancelAll, end, over } = stubborn()
  once.abort()
  expect(end.signal.aborted).toBe(true)
  await vi.advanceTimersByTimeAsync(999)
  expect(cancelAll).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(cancelAll).toHaveBeenCalledTimes(1)
  expect(over).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(250)
  expect(over).toHaveBeenCalled()
})

it('a second stop cancels outstanding calls at once', async () => {
  const { once, twice, cancelAll, over } = stubborn()
  once.abort()
  twice.abort()
  expect(cancelAll).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(250)
  expect(over).toHaveBeenCalled()
})

it('a failure ends the run with its error, and cancels outstanding calls', async () => {
  const { end, cancelAll, waiting } = stubborn()
  const failed = expect(waiting).rejects.toThrow('no such message')
  end.fail(new Error('no such message'))
  await failed
  expect(end.signal.aborted).toBe(true)
  await nextTurn()
  expect(cancelAll).toHaveBeenCalled()
})
