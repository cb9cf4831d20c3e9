import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SlotHeap } from '../../../src/policies/slot-heap.js'

const SHUFFLED = [7, 3, 9, 1, 8, 2, 6, 4, 0, 5, 3, 7]

/** A heap in which slot i has the i-th key. */
function heapOf(keys: readonly number[]): SlotHeap {
  const heap = new SlotHeap()
  for (const [slot, key] of keys.entries()) heap.push(slot, key)
  return heap
}

function drain(heap: SlotHeap): [key: number, slot: number][] {
  const drained: [number, number][] = []
  while (heap.size > 0) {
    drained.push([heap.firstKey, heap.firstSlot])
    heap.pop()
  }
  return drained
}

/** What a heap of these must give, slots that left apart. */
function inOrder(keys: readonly number[], without: readonly number[] = []): [number, number][] {
  const entries = keys.map((key, slot): [number, number] => [key, slot])
  return entries.filter(([, slot]) => !without.includes(slot)).sort(([a, i], [b, j]) => a - b || i - j)
}

describe('SlotHeap', () => {
  it('returns its slots by key, and by number if keys are equal', () => {
    expect(drain(heapOf(SHUFFLED))).toEqual(inOrder(SHUFFLED))
  })

  it.each(SHUFFLED.map((key, slot) => [slot, key]))('stays ordered when slot %d (key %d) leaves', (slot) => {
    const heap = heapOf(SHUFFLED)
    heap.remove(slot)
    expect(heap.holds(slot)).toBe(false)
    expect(drain(heap)).toEqual(inOrder(SHUFFLED, [slot]))
  })

  it('moves the slot that fills a gap above its new parent', () => {
    // The last one, of key 3, takes the hole that 11 leaves, under 10.
    const keys = [0, 10, 1, 11, 12, 2, 3]
    const heap = heapOf(keys)
    heap.remove(3)
    expect(drain(heap)).toEqual(inOrder(keys, [3]))
  })

  it.each([...SHUFFLED.keys()])('moves slot %d to the position of its new key', (slot) => {
    const heap = heapOf(SHUFFLED)
    const key = (SHUFFLED[slot] ?? 0) + 2.5
    heap.delay(slot, key)
    expect(drain(heap)).toEqual(inOrder(SHUFFLED.with(slot, key)))
  })

  it('accepts new keys that do not change the order', () => {
    const heap = heapOf(SHUFFLED)
    heap.rekey((slot) => (SHUFFLED[slot] ?? 0) - 100)
    expect(drain(heap)).toEqual(inOrder(SHUFFLED.map((key) => key - 100)))
  })

  it('knows which slots it holds, before, during and after they are in it', () => {
    const heap = new SlotHeap()
    expect(heap.holds(1000)).toBe(false)
    heap.remove(1000)
    heap.push(1000, 1)
    expect(heap.holds(1000)).toBe(true)
    expect(heap.holds(1001)).toBe(false)
    heap.remove(1000)
    heap.remove(1000)
    expect(heap.holds(1000)).toBe(false)
    expect(heap.size).toBe(0)
  })

  it('after any pushes and removals, returns the rest in order', () => {
    const step = fc.record({ slot: fc.nat({ max: 40 }), key: fc.nat({ max: 20 }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const heap = new SlotHeap()
        const model = new Map<number, number>()
        for (const { slot, key } of steps) {
          if (model.delete(slot)) heap.remove(slot)
          else {
            heap.push(slot, key)
            model.set(slot, key)
          }
        }
        const left = [...model].map(([slot, key]): [number, number] => [key, slot])
        expect(drain(heap)).toEqual(left.sort(([a, i], [b, j]) => a - b || i - j))
      }),
      { numRuns: 200 },
    )
  })
})
