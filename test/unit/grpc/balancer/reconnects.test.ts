import { expect, it } from 'vitest'
import { Reconnects } from '../../../../src/grpc/balancer/reconnects.js'

/** Connections that last this long, and whether each reconnect waits. */
function waits(...durationsMs: number[]): boolean[] {
  let nowMs = 0
  const reconnects = new Reconnects(() => nowMs)
  const waited = durationsMs.map((durationMs) => {
    reconnects.ready()
    nowMs += durationMs
    return reconnects.next(() => undefined)
  })
  reconnects.cancel()
  return waited
}

it('a reconnect is delayed after more than three short connections in a row', () => {
  expect(waits(10, 10, 10, 10, 10)).toEqual([false, false, false, true, true])
})

it('a useful connection ends the delays', () => {
  expect(waits(10, 10, 10, 10, 2_000, 10)).toEqual([false, false, false, true, false, false])
})

it('connections that a busy server ends after a number of calls are useful', () => {
  expect(waits(...new Array(100).fill(60))).not.toContain(true)
})

it('failed attempts, which grpc-js itself delays, do not count', () => {
  const reconnects = new Reconnects(() => 0)
  for (let attempt = 0; attempt < 10; attempt++) expect(reconnects.next(() => undefined)).toBe(false)
})
