import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { generate } from '../../../../src/call/load/generate.js'
import type { Load } from '../../../../src/call/load/load.js'

const NEVER = new AbortController().signal
const ONE_BY_ONE: Load = {
  calls: 50,
  durationMs: Number.POSITIVE_INFINITY,
  concurrency: 1,
  perSecond: null,
}

interface Made {
  readonly intendedAtMs: number
  readonly startedAtMs: number
}

/** Makes the calls of a load, each of which takes so long, and returns them and the largest number at a time. */
async function made(load: Partial<Load>, callMs: number, signal = NEVER) {
  const calls: Made[] = []
  let underWay = 0
  let most = 0
  await generate(
    { ...ONE_BY_ONE, ...load },
    (intendedAtMs, done) => {
      calls.push({ intendedAtMs, startedAtMs: performance.now() })
      most = Math.max(most, ++underWay)
      setTimeout(() => {
        underWay--
        done()
      }, callMs)
    },
    signal,
  )
  return { calls, most, left: underWay }
}

describe.each([
  ['closed', null],
  ['open', 2_000],
])('a load, %s loop', (_, perSecond) => {
  it.each([1, 3, 64])(
    'makes the requested number of calls, at most %s at a time, and waits for all of them',
    async (concurrency) => {
      const { calls, most, left } = await made({ concurrency, perSecond }, 2)
      expect(calls).toHaveLength(50)
      expect(most).toBeLessThanOrEqual(concurrency)
      expect(left).toBe(0)
    },
  )

  it('stops on its signal, and waits for outstanding calls', async () => {
    const stop = new AbortController()
    const running = made({ calls: 1_000_000, concurrency: 4, perSecond }, 1, stop.signal)
    await delay(20)
    stop.abort()
    const { calls, left } = await running
    expect(calls.length).toBeGreaterThan(0)
    expect(left).toBe(0)
  })
})

describe('calls at a rate', () => {
  it.each([70, 300, 5_000])('never start before they are due: %s/s', async (perSecond) => {
    const load = { perSecond, concurrency: Number.POSITIVE_INFINITY, calls: 20 }
    for (const callMs of [0, 3, 30]) {
      const { calls } = await made(load, callMs)
      for (const { intendedAtMs, startedAtMs } of calls) {
        expect(startedAtMs).toBeGreaterThanOrEqual(intendedAtMs)
      }
      const [first, second] = calls
      expect((second?.intendedAtMs ?? 0) - (first?.intendedAtMs ?? 0)).toBeCloseTo(1000 / perSecond, 6)
    }
  })

  it('are as many as the rate and the duration give, also when calls last longer than the duration', async () => {
    const load = { perSecond: 100, concurrency: Number.POSITIVE_INFINITY, calls: Number.POSITIVE_INFINITY }
    expect((await made({ ...load, durationMs: 105 }, 200)).calls).toHaveLength(11)
  })

  it('that waited for earlier calls keep the time at which they were due', async () => {
    const { calls } = await made({ perSecond: 1_000, calls: 5 }, 20)
    const [first, last] = [calls[0], calls[4]]
    expect((last?.intendedAtMs ?? 0) - (first?.intendedAtMs ?? 0)).toBeCloseTo(4, 6)
    expect((last?.startedAtMs ?? 0) - (first?.startedAtMs ?? 0)).toBeGreaterThan(75)
  })
})
