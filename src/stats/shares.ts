/**
 * Weights that change while picks are made, and how far time has come by them. Two virtual times tell what an
 * endpoint is expected to have got: by `perWeight` its weight x the time that has passed since, by `perHead` the
 * same where all count as equal. So a pick costs O(1), and a change costs what it changes.
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

  /** 0 for one that is not in rotation. */
  weightOf(id: string): number {
    return this.weights.get(id) ?? 0
  }

  pick(times: number): void {
    this.picks += times
  }

  /** @param changes new weights by id, 0 to take one out */
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
