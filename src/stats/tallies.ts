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
