import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Batch } from '../../../../src/grpc/resolver/batch.js'

let delivered: (readonly number[])[]
let batch: Batch<number>

beforeEach(() => {
  vi.useFakeTimers()
  delivered = []
  batch = new Batch((items) => delivered.push(items))
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a batch', () => {
  it('is a single item that is delivered at once after a quiet time', () => {
    batch.add(1)
    expect(delivered).toEqual([[1]])
    vi.advanceTimersByTime(20)
    batch.add(2)
    expect(delivered).toEqual([[1], [2]])
  })

  it('waits 20 ms for an item that can wait, and for what comes with it', () => {
    batch.add(1, true)
    vi.advanceTimersByTime(10)
    batch.add(2)
    vi.advanceTimersByTime(19)
    expect(delivered).toEqual([])
    vi.advanceTimersByTime(1)
    expect(delivered).toEqual([[1, 2]])
  })

  it('collects what follows until 20 ms after the last item', () => {
    batch.add(0)
    batch.add(1)
    vi.advanceTimersByTime(15)
    batch.add(2)
    vi.advanceTimersByTime(19)
    expect(delivered).toEqual([[0]])
    vi.advanceTimersByTime(1)
    expect(delivered).toEqual([[0], [1, 2]])
  })

  it('of a steady stream is delivered every 100 ms', () => {
    for (let at = 0; at < 250; at += 10) {
      batch.add(at)
      vi.advanceTimersByTime(10)
    }
    expect(delivered.map((items) => items.length)).toEqual([1, 9, 10])
    vi.advanceTimersByTime(20)
    expect(delivered.flat()).toEqual(Array.from({ length: 25 }, (_, index) => index * 10))
  })

  it('is delivered at once when it is flushed, and never when it is dropped', () => {
    batch.add(0)
    batch.add(1)
    batch.flush()
    expect(delivered).toEqual([[0], [1]])
    batch.add(2)
    batch.drop()
    vi.advanceTimersByTime(1_000)
    batch.flush()
    expect(delivered).toEqual([[0], [1]])
    expect(vi.getTimerCount()).toBe(0)
  })
})
