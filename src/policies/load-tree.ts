import type { Rng } from '../domain/rng.js'

/**
 * Finds the places with the fewest calls relative to their weight and draws one of them by weight, in O(log n) for a
 * draw and for a change. A tournament tree in flat arrays: each node has the least calls/weight below it, as a pair
 * of numbers, and the sum of the weights of all places tied at that ratio.
 *
 * Two ratios are compared by cross-multiplication, which is exact while calls x weight is below 2^53. A place of weight
 * 0 is empty and never drawn. Places are numbered from 0. Every index below is within the arrays, hence `as number`.
 */
export class LoadTree {
  /** A power of two: the leaf of place p is node `leaves + p`, the root is node 1. */
  private leaves = 8
  private calls = new Float64Array(16)
  private weights = new Float64Array(16)
  /** By node: the sum of the weights of the places below it that tie at the node's ratio. */
  private levelWeights = new Float64Array(16)

  set(place: number, calls: number, weight: number): void {
    while (place >= this.leaves) this.grow()
    const leaf = this.leaves + place
    this.put(leaf, calls, weight, weight)
    for (let node = leaf >> 1; node > 0; node >>= 1) this.play(node)
  }

  /** A place with the fewest calls per weight, drawn among ties in proportion to weight; -1 if all places are empty. */
  draw(random: Rng): number {
    const { levelWeights, leaves } = this
    let left = random() * (levelWeights[1] as number)
    if (levelWeights[1] === 0) return -1
    let node = 1
    while (node < leaves) {
      node *= 2
      const difference = this.compare(node, node + 1)
      if (difference < 0) continue
      if (difference > 0) node++
      else if (left >= (levelWeights[node] as number)) left -= levelWeights[node++] as number
    }
    return node - leaves
  }

  /** Sets a node to its child with the lower ratio. If both tie, their `levelWeights` are added. */
  private play(node: number): void {
    const { calls, weights, levelWeights } = this
    const left = 2 * node
    const right = left + 1
    const difference = this.compare(left, right)
    const better = difference > 0 ? right : left
    const level = difference === 0 ? (levelWeights[right] as number) : 0
    this.put(
      node,
      calls[better] as number,
      weights[better] as number,
      (levelWeights[better] as number) + level,
    )
  }

  /** Negative if node `a` has the lower ratio, positive if node `b` has, 0 if they tie. An empty node ranks last. */
  private compare(a: number, b: number): number {
    const { calls, weights } = this
    if (weights[b] === 0) return -1
    if (weights[a] === 0) return 1
    return (calls[a] as number) * (weights[b] as number) - (calls[b] as number) * (weights[a] as number)
  }

  private put(node: number, calls: number, weight: number, levelWeight: number): void {
    this.calls[node] = calls
    this.weights[node] = weight
    this.levelWeights[node] = levelWeight
  }

  private grow(): void {
    const { calls, weights, leaves } = this
    this.leaves = 2 * leaves
    this.calls = new Float64Array(4 * leaves)
    this.weights = new Float64Array(4 * leaves)
    this.levelWeights = new Float64Array(4 * leaves)
    for (let place = 0; place < leaves; place++) {
      const weight = weights[leaves + place] as number
      this.put(this.leaves + place, calls[leaves + place] as number, weight, weight)
    }
    for (let node = this.leaves - 1; node > 0; node--) this.play(node)
  }
}
