import type { Shares } from './shares.js'

/** Picks of one endpoint, observed and expected. */
export interface Tally {
  readonly picks: number
  /** The sum, over all picks, of the endpoint's share at that pick. */
  readonly expected: number
  /** Expected picks if all endpoints in rotation had equal shares. */
  readonly equal: number
}

export type Tallies = ReadonlyMap<string, Tally>

export function picksOf(tallies: Tallies): number {
  let sum = 0
  for (const { picks } of tallies.values()) sum += picks
  return sum
}

/** Adds `more` to `sum`. */
export function addTallies(sum: Map<string, Tally>, more: Tallies): void {
  for (const [id, { picks, expected, equal }] of more) {
    const own = sum.get(id) ?? { picks: 0, expected: 0, equal: 0 }
    sum.set(id, { picks: own.picks + picks, expected: own.expected + expected, equal: own.equal + equal })
  }
}

/**
 * Counts of an endpoint within a scope. `expected` and `equal` are sums up to the virtual times `perWeight` and
 * `perHead`.
 */
interface Entry {
  picks: number
  expected: number
  equal: number
  perWeight: number
  perHead: number
}

/**
 * Observed and expected picks of a part of a run. Expected picks follow the shares in force at each pick. Only
 * endpoints that were picked or changed have an entry; the expected picks of the others are computed from virtual time.
 */
export class Scope {
  picks = 0
  private readonly entries = new Map<string, Entry>()
  private readonly perWeight: number
  private readonly perHead: number

  constructor(private readonly shares: Shares) {
    this.perWeight = shares.perWeight
    this.perHead = shares.perHead
  }

  pick(id: string, times: number): void {
    this.picks += times
    this.entryOf(id).picks += times
  }

  /**
   * Adds an endpoint's expected picks up to now. Call it before the endpoint's weight changes. Other endpoints need not
   * be settled when an endpoint joins or leaves: virtual time accounts for their new shares.
   */
  settle(id: string): void {
    const entry = this.entryOf(id)
    const { expected, equal } = this.tallyOf(id, entry)
    entry.expected = expected
    entry.equal = equal
    entry.perWeight = this.shares.perWeight
    entry.perHead = this.shares.perHead
  }

  /** The tallies of all endpoints with observed or expected picks, by id; empty before the first pick. */
  tallies(): Map<string, Tally> {
    if (this.picks === 0) return new Map()
    const tallies = new Map<string, Tally>()
    for (const id of this.shares.ids) tallies.set(id, this.tallyOf(id, this.entries.get(id)))
    for (const [id, entry] of this.entries) {
      if (tallies.has(id)) continue
      const tally = this.tallyOf(id, entry)
      if (tally.picks > 0 || tally.expected > 0) tallies.set(id, tally)
    }
    return tallies
  }

  /** The tally of one endpoint. O(1). */
  tally(id: string): Tally {
    return this.tallyOf(id, this.entries.get(id))
  }

  /** |picks - expected| of one endpoint. */
  gapOf(id: string): number {
    const { picks, expected } = this.tally(id)
    return Math.abs(picks - expected)
  }

  /** The largest gap of any endpoint. O(n). */
  largestGap(): number {
    let largest = 0
    for (const id of this.shares.ids) largest = Math.max(largest, this.gapOf(id))
    for (const id of this.entries.keys()) largest = Math.max(largest, this.gapOf(id))
    return largest
  }

  private entryOf(id: string): Entry {
    let entry = this.entries.get(id)
    if (!entry) {
      entry = { picks: 0, expected: 0, equal: 0, perWeight: this.perWeight, perHead: this.perHead }
      this.entries.set(id, entry)
    }
    return entry
  }

  private tallyOf(id: string, entry: Entry | undefined): Tally {
    const { shares } = this
    const weight = shares.weightOf(id)
    const perWeight = shares.perWeight - (entry?.perWeight ?? this.perWeight)
    const perHead = weight === 0 ? 0 : shares.perHead - (entry?.perHead ?? this.perHead)
    return {
      picks: entry?.picks ?? 0,
      expected: (entry?.expected ?? 0) + weight * perWeight,
      equal: (entry?.equal ?? 0) + perHead,
    }
  }
}
