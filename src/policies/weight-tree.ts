import type { Rng } from '../domain/rng.js'

/**
 * Draws candidates with probabilities proportional to their weights. A draw and a change cost O(log n): the weights are
 * the elements of a Fenwick tree (Fenwick 1994), one slot for each candidate. Weights are integers with a sum below
 * 2^53, so that the sums are exact after any order of changes. A new candidate reuses a freed slot.
 */
export class WeightTree<Candidate> {
  private readonly places = new Map<Candidate, number>()
  private readonly freePlaces: number[] = []
  private candidates: (Candidate | undefined)[] = []
  private weights = new Float64Array(8)
  /** sums[i] is the sum of the weights of the slots from (i minus i's lowest set bit) to i - 1. */
  private sums = new Float64Array(9)
  private total = 0

  get size(): number {
    return this.places.size
  }

  has(candidate: Candidate): boolean {
    return this.places.has(candidate)
  }

  set(candidate: Candidate, weight: number): void {
    let place = this.places.get(candidate)
    if (place === undefined) {
      place = this.freePlaces.pop() ?? this.candidates.length
      if (place >= this.weights.length) this.grow()
      this.places.set(candidate, place)
      this.candidates[place] = candidate
    }
    this.weigh(place, weight)
  }

  delete(candidate: Candidate): void {
    const place = this.places.get(candidate)
    if (place === undefined) return
    this.weigh(place, 0)
    this.places.delete(candidate)
    this.candidates[place] = undefined
    this.freePlaces.push(place)
  }

  /** Draws a candidate with probability weight / total; null when the tree is empty. */
  draw(random: Rng): Candidate | null {
    const { sums, total } = this
    if (total === 0) return null
    let left = random() * total
    let place = 0
    // The number of places is a power of two: halving steps find the first whose running sum exceeds `left`.
    for (let step = this.weights.length; step > 0; step >>= 1) {
      const sum = sums[place + step]
      if (sum === undefined || sum > left) continue
      left -= sum
      place += step
    }
    return this.candidates[place] ?? null
  }

  private weigh(place: number, weight: number): void {
    const { sums } = this
    const change = weight - (this.weights[place] ?? 0)
    this.weights[place] = weight
    this.total += change
    for (let at = place + 1; at < sums.length; at += at & -at) sums[at] = (sums[at] ?? 0) + change
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
