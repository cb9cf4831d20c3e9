import { describe, expect, it } from 'vitest'
import { WeightTree } from '../../../src/policies/weight-tree.js'

/** How often each is drawn when the random numbers are spread evenly, one for each unit of weight. */
function drawn(tree: WeightTree<number>, total: number): Record<number, number> {
  const counts: Record<number, number> = {}
  for (let number = 0; number < total; number++) {
    const candidate = tree.draw(() => (number + 0.5) / total)
    if (candidate !== null) counts[candidate] = (counts[candidate] ?? 0) + 1
  }
  return counts
}

function treeOf(weights: readonly number[]): WeightTree<number> {
  const tree = new WeightTree<number>()
  for (const [candidate, weight] of weights.entries()) tree.set(candidate, weight)
  return tree
}

describe('WeightTree', () => {
  it.each([1, 2, 7, 8, 9, 16, 17, 100])('of %d candidates draws each in proportion to its weight', (size) => {
    const weights = Array.from({ length: size }, (_, at) => 1 + ((at * 7) % 5))
    const total = weights.reduce((sum, weight) => sum + weight)
    expect(drawn(treeOf(weights), total)).toEqual({ ...weights })
  })

  it('follows new weights, and never draws a removed candidate', () => {
    const tree = treeOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    tree.set(0, 20)
    tree.delete(9)
    tree.delete(4)
    tree.delete(4)
    expect(tree.size).toBe(8)
    expect(tree.has(4)).toBe(false)
    expect(drawn(tree, 59)).toEqual({ 0: 20, 1: 2, 2: 3, 3: 4, 5: 6, 6: 7, 7: 8, 8: 9 })
  })

  it('reuses the place of a removed candidate', () => {
    const tree = treeOf([1, 1, 1])
    for (let candidate = 3; candidate < 1_000; candidate++) {
      tree.delete(candidate - 3)
      tree.set(candidate, 2)
    }
    expect(drawn(tree, 6)).toEqual({ 997: 2, 998: 2, 999: 2 })
  })

  it('is exact with the largest weights', () => {
    const tree = treeOf([2 ** 31 - 1, 1, 2 ** 31 - 1])
    const total = 2 ** 32 - 1
    expect(tree.draw(() => (2 ** 31 - 1.5) / total)).toBe(0)
    expect(tree.draw(() => (2 ** 31 - 0.5) / total)).toBe(1)
    expect(tree.draw(() => (2 ** 31 + 0.5) / total)).toBe(2)
    expect(tree.draw(() => 1 - 2 ** -53)).toBe(2)
  })

  it('draws null when it is empty', () => {
    const tree = treeOf([1])
    tree.delete(0)
    expect(tree.draw(() => 0)).toBeNull()
    expect(new WeightTree().draw(() => 0.9)).toBeNull()
  })
})
