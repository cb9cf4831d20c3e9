/**
 * Picks that were dealt by one set of shares, endpoint by endpoint in the same order. Where shares changed,
 * each stretch between changes is a stratum of its own, independent of the others.
 */
export interface Stratum {
  readonly counts: readonly number[]
  /** In picks; sums to the counts' sum. An endpoint may have 0. */
  readonly expected: readonly number[]
}

/** A stratum of endpoints that can be picked: what was picked of them, and the probability of each. */
export interface Dealt {
  readonly picks: number
  readonly counts: readonly number[]
  readonly expected: readonly number[]
  readonly shares: readonly number[]
}

/** Null where something was picked that nothing was expected of: no chance explains that. */
export function dealt({ counts, expected }: Stratum): Dealt | null {
  const picks = counts.reduce((sum, count) => sum + count, 0)
  const possible = expected.flatMap((calls, at) => (calls > 0 ? [{ calls, count: counts[at] ?? 0 }] : []))
  if (possible.reduce((sum, { count }) => sum + count, 0) < picks) return null
  return {
    picks,
    counts: possible.map(({ count }) => count),
    expected: possible.map(({ calls }) => calls),
    shares: possible.map(({ calls }) => calls / picks),
  }
}
