/**
 * Weights that change while picks are made, and two virtual times. Each pick advances `perWeight` by 1/(total weight)
 * and `perHead` by 1/(number of endpoints). An endpoint's expected picks are its weight x the elapsed `perWeight`; with
 * equal shares they are the elapsed `perHead`. A pick therefore costs O(1), and a change costs O(changed endpoints).
 */
export class Shares {
  private readonly weights = new Map<string, number>()
  private total = 0
  private picks = 0
  private perWeightBefore = 0
  private perHeadBefore = 0

  get size(): number {
    return this.weights.size
  }

  get perWeight(): number {
    return this.perWeightBefore + (this.total === 0 ? 0 : this.picks / this.total)
  }

  get perHead(): number {
    return this.perHeadBefore + (this.weights.size === 0 ? 0 : this.picks / this.weights.size)
  }

  get ids(): Iterable<string> {
    return this.weights.keys()
  }

  /** 0 for an endpoint that is not in rotation. */
  weightOf(id: string): number {
    return this.weights.get(id) ?? 0
  }

  pick(times: number): void {
    this.picks += times
  }

  /** Applies changes. @param changes new weights by id; 0 removes an endpoint */
  change(changes: ReadonlyMap<string, number>): void {
    this.perWeightBefore = this.perWeight
    this.perHeadBefore = this.perHead
    this.picks = 0
    for (const [id, weight] of changes) {
      this.total += weight - this.weightOf(id)
      if (weight === 0) this.weights.delete(id)
      else this.weights.set(id, weight)
    }
  }
}
