export interface Tally {
  readonly picks: number
  /** The sum, over all picks, of the share that the endpoint then had. */
  readonly expected: number
}

/**
 * Holds picks against the shares that stood when they were made. An epoch is the time between two changes of
 * the rotation; picks x share is summed epoch by epoch. A gap is |picks - expected|; it grows through weight
 * changes, and a change of membership starts it anew.
 */
export class ShareLedger {
  private shares: ReadonlyMap<string, number> = new Map()
  private picksInEpoch = new Map<string, number>()
  private readonly totals = new Map<string, { picks: number; expected: number }>()
  private gaps = new Map<string, number>()
  private largestClosedGap = 0

  /** @param weights who is in rotation from now on, each with a weight > 0 */
  rotate(weights: ReadonlyMap<string, number>): void {
    this.closeEpoch()
    const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0)
    const sameMembers =
      weights.size === this.shares.size && [...weights.keys()].every((id) => this.shares.has(id))
    if (!sameMembers) {
      this.largestClosedGap = this.largestGap()
      this.gaps = new Map()
    }
    this.shares = new Map([...weights].map(([id, weight]) => [id, weight / total]))
  }

  pick(id: string): void {
    this.picksInEpoch.set(id, (this.picksInEpoch.get(id) ?? 0) + 1)
  }

  /** Everyone who was picked or expected to be, since the beginning. */
  tallies(): ReadonlyMap<string, Tally> {
    this.closeEpoch()
    return this.totals
  }

  /** In picks, over all memberships. */
  largestGap(): number {
    this.closeEpoch()
    return Math.max(this.largestClosedGap, ...[...this.gaps.values()].map(Math.abs))
  }

  private closeEpoch(): void {
    const made = [...this.picksInEpoch.values()].reduce((sum, picks) => sum + picks, 0)
    if (made === 0) return
    for (const id of new Set([...this.shares.keys(), ...this.picksInEpoch.keys()])) {
      const picks = this.picksInEpoch.get(id) ?? 0
      const expected = made * (this.shares.get(id) ?? 0)
      const total = this.totals.get(id) ?? { picks: 0, expected: 0 }
      this.totals.set(id, { picks: total.picks + picks, expected: total.expected + expected })
      this.gaps.set(id, (this.gaps.get(id) ?? 0) + picks - expected)
    }
    this.picksInEpoch = new Map()
  }
}
