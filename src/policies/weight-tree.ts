import type { Rng } from '../domain/rng.js'

/**
 * Draws candidates with probabilities proportional to their weights. A draw and a change cost O(log n): the weights are
 * the elements of a Fenwick tree (Fenwick 1994), one slot for each candidate. Weights are integers with a sum below
 * 2^53, so that the sums are exact after any order of changes. A new candidate reuses a freed slot.
 */
export class WeightTree<Candidate> {
  private readonly slots = new Map<Candidate, number>()
  private readonly freeSlots: number[] = []
  private candidates: (Candidate | undefined)[] = []
  private weights = new Float64Array(8)
  /** sums[i] is the sum of the weights of the slots from (i minus i's lowest set bit) to i - 1. */
  private sums = new Float64Array(9)
  private total = 0

  get size(): number {
    return this.slots.size
  }

  has(candidate: Candidate): boolean {
    return this.slots.has(candidate)
  }

  set(candidate: Candidate, weight: number): void {
    let slot = this.slots.get(candidate)
    if (slot === undefined) {
      slot = this.freeSlots.pop() ?? this.candidates.length
      if (slot >= this.weights.length) this.grow()
      this.slots.set(candidate, slot)
      this.candidates[slot] = candidate
    }
    this.weigh(slot, weight)
  }

  delete(candidate: Candidate): void {
    const slot = this.slots.get(candidate)
    if (slot === undefined) return
    this.weigh(slot, 0)
    this.slots.delete(candidate)
    this.candidates[slot] = undefined
    this.freeSlots.push(slot)
  }

  /** Draws a candidate with probability weight / total; null when the tree is empty. */
  draw(random: Rng): Candidate | null {
    const { sums, total } = this
    if (total === 0) return null
    let left = random() * total
    let slot = 0
    // The number of slots is a power of two, so halving steps find the first slot whose running sum exceeds `left`.
    for (let step = this.weights.length; step > 0; step >>= 1) {
      const sum = sums[slot + step]
      if (sum === undefined || sum > left) continue
      left -= sum
      slot += step
    }
    return this.candidates[slot] ?? null
  }

  private weigh(slot: number, weight: number): void {
    const { sums } = this
    const change = weight - (this.weights[slot] ?? 0)
    this.weights[slot] = weight
    this.total += change
    for (let at = slot + 1; at < sums.length; at += at & -at) sums[at] = (sums[at] ?? 0) + change
  }

  private grow(): void {
    const weights = new Float64Array(this.weights.length * 2)
    weights.set(this.weights)
    const sums = new Float64Array(weights.length + 1)
    sums.set(this.sums)
    // Only the last new sum covers old slots, and it covers all of them.
    sums[weights.length] = this.total
    this.weights = weights
    this.sums = sums
  }
}
