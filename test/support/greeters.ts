import { afterAll } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { until } from './disco.js'

/** Three greeters for all tests of a file. */
export async function threeGreeters(): Promise<readonly [Greeter, Greeter, Greeter]> {
  const greeters = await Promise.all([
    startGreeter({ port: 0 }),
    startGreeter({ port: 0 }),
    startGreeter({ port: 0 }),
  ])
  afterAll(() => {
    for (const greeter of greeters) greeter.stop()
  })
  return greeters
}

/** Waits until a greeter has had so many calls more than now. */
export async function untilCalled(greeter: Greeter, more = 20): Promise<void> {
  const from = greeter.calls()
  await until(
    () => greeter.calls() >= from + more,
    () => `${more} calls of ${greeter.addr}`,
  )
}
