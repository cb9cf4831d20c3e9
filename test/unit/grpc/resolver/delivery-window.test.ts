import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DeliveryWindow } from '../../../../src/grpc/resolver/delivery-window.js'

let startMs: number
let deliveredAtMs: number[]
let costMs: number
let window: DeliveryWindow

beforeEach(() => {
  vi.useFakeTimers()
  startMs = performance.now()
  deliveredAtMs = []
  costMs = 0
  window = new DeliveryWindow(() => {
    deliveredAtMs.push(Math.round(performance.now() - startMs))
    vi.setSystemTime(Date.now() + costMs)
    if (costMs > 0) vi.advanceTimersByTime(costMs)
  })
})
afterEach(() => {
  vi.useRealTimers()
})

/** One change every `periodMs`, for `forMs`. */
function stream(forMs: number, periodMs: number): void {
  for (let ms = 0; ms < forMs; ms += periodMs) {
    window.open()
    vi.advanceTimersByTime(periodMs)
  }
}

describe('a delivery window', () => {
  it('delivers the first change after a quiet period at once', () => {
    window.open()
    vi.advanceTimersByTime(20)
    window.open()
    expect(deliveredAtMs).toEqual([0, 20])
  })

  it('delivers following changes together, 20 ms after the last delivery', () => {
    window.open()
    vi.advanceTimersByTime(5)
    window.open()
    vi.advanceTimersByTime(10)
    window.open()
    vi.advanceTimersByTime(100)
    expect(deliveredAtMs).toEqual([0, 20])
  })

  it('measures the 20 ms from the start of a delivery that takes a millisecond', () => {
    costMs = 1
    stream(60, 1)
    expect(deliveredAtMs.slice(0, 3)).toEqual([0, 20, 40])
  })

  it('delays a deferrable change by 20 ms, and delivers other changes together with it', () => {
    window.open(20)
    vi.advanceTimersByTime(10)
    window.open()
    vi.advanceTimersByTime(100)
    expect(deliveredAtMs).toEqual([20])
  })

  it('delivers deferrable changes 100 ms after the first one, however many follow', () => {
    for (let ms = 0; ms < 120; ms += 10) {
      window.open(20)
      vi.advanceTimersByTime(10)
    }
    expect(deliveredAtMs).toEqual([100])
  })

  it('delivers continuous changes every 20 ms if deliveries are cheap', () => {
    stream(200, 5)
    expect(deliveredAtMs).toEqual([0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200])
  })

  it('delivers less often the longer a delivery takes, but at least every 100 ms', () => {
    costMs = 5
    stream(300, 5)
    expect(deliveredAtMs.slice(0, 4)).toEqual([0, 55, 110, 165])
    costMs = 30
    vi.advanceTimersByTime(200)
    deliveredAtMs = []
    startMs = performance.now()
    stream(300, 5)
    expect(deliveredAtMs.slice(0, 3)).toEqual([0, 130, 260])
  })

  it('delivers at once on a flush, and never after a drop', () => {
    window.open()
    window.open()
    window.flush()
    expect(deliveredAtMs).toEqual([0, 0])
    window.open()
    window.drop()
    vi.advanceTimersByTime(1_000)
    window.flush()
    expect(deliveredAtMs).toEqual([0, 0])
    expect(vi.getTimerCount()).toBe(0)
  })
})
