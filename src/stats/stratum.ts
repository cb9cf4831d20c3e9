/**
 * Picks made under one set of shares, by endpoint. Each interval between two changes of the shares is a stratum,
 * independent of the others.
 */
export interface Stratum {
  readonly counts: readonly number[]
  /** In picks; sums to the sum of the counts. An endpoint may have 0. */
  readonly expected: readonly number[]
}

/** A stratum of endpoints that can be picked: their counts, and the probability of each. */
export interface PossibleStratum {
  readonly picks: number
  readonly counts: readonly number[]
  readonly expected: readonly number[]
  readonly shares: readonly number[]
}

/** Omits endpoints with a share of 0. Null if one of them was picked, which cannot happen by chance. */
export function possibleStratum({ counts, expected }: Stratum): PossibleStratum | null {
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
