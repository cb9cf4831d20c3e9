import { beforeEach, describe, expect, it } from 'vitest'
import { IndexedHeap } from '../../../src/policies/indexed-heap.js'

interface Item {
  readonly rank: number
  place: number
}

let heap: IndexedHeap<Item>

beforeEach(() => {
  heap = new IndexedHeap<Item>((a, b) => a.rank < b.rank)
})

function push(...ranks: number[]): Item[] {
  return ranks.map((rank) => {
    const item = { rank, place: -1 }
    heap.push(item)
    return item
  })
}

function drain(): number[] {
  const ranks: number[] = []
  for (let first = heap.first; first; first = heap.first) {
    ranks.push(first.rank)
    heap.remove(first)
  }
  return ranks
}

const SHUFFLED = [7, 3, 9, 1, 8, 2, 6, 4, 0, 5, 3, 7]
const SORTED = SHUFFLED.toSorted((a, b) => a - b)

describe('IndexedHeap', () => {
  it('gives its members in order', () => {
    push(...SHUFFLED)
    expect(drain()).toEqual(SORTED)
  })

  it.each(SHUFFLED.map((rank, at) => [at, rank]))('stays in order when member %d (rank %d) leaves', (at) => {
    const [item] = push(...SHUFFLED).slice(at)
    if (item) heap.remove(item)
    expect(drain()).toEqual(SHUFFLED.toSpliced(at, 1).toSorted((a, b) => a - b))
  })

  it('lets what fills a hole rise above its new parent', () => {
    // The last member, 3, takes the hole that 11 leaves, under 10.
    const items = push(0, 10, 1, 11, 12, 2, 3)
    const eleven = items.find(({ rank }) => rank === 11)
    if (eleven) heap.remove(eleven)
    expect(drain()).toEqual([0, 1, 2, 3, 10, 12])
  })

  it('knows whom it holds', () => {
    const [a, b] = push(1, 2)
    const other = new IndexedHeap<Item>((x, y) => x.rank < y.rank)
    if (!a || !b) throw new Error('unreachable')
    heap.remove(a)
    expect(heap.holds(a)).toBe(false)
    expect(heap.holds(b)).toBe(true)
    heap.remove(b)
    other.push(b)
    expect(heap.holds(b)).toBe(false)
    expect(other.holds(b)).toBe(true)
  })

  it('is empty before and after', () => {
    expect(heap.first).toBeUndefined()
    const [only] = push(1)
    if (only) heap.remove(only)
    expect(heap.first).toBeUndefined()
  })
})
