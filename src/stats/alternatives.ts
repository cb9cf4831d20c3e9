import type { Rng } from '../domain/rng.js'
import { ALPHA, testFit } from './goodness-of-fit.js'
import { picksOf, type Tallies } from './scope.js'
import type { Stratum } from './stratum.js'

/** Ways to distribute calls, other than the promised shares, that failing picks are compared with. */
export type AlternativeName = 'equal split' | 'pick_first' | 'stale weights'

interface Alternative {
  readonly name: AlternativeName
  /**
   * The p-value: how probable this alternative makes picks that are as unlikely as the observed ones, or less likely.
   * For pick_first, 1 or 0.
   */
  readonly p: number
}

/** The alternative with the highest p; null if all are below alpha. */
export function bestAlternative(strata: readonly Tallies[], rng: Rng): Alternative | null {
  const alternatives: Alternative[] = [
    { name: 'pick_first', p: strata.every(isToOneEndpoint) ? 1 : 0 },
    { name: 'equal split', p: equalSplit(strata, rng) ?? 0 },
    // The client may have missed all changes after stratum `at`.
    ...strata.slice(1).map((_, at) => ({ name: 'stale weights', p: stale(strata, at, rng) }) as const),
  ]
  const best = alternatives.reduce((best, other) => (other.p > best.p ? other : best))
  return best.p < ALPHA ? null : best
}

/** The p of the alternative "equal split"; null if equal shares are promised. */
export function equalSplit(strata: readonly Tallies[], rng: Rng): number | null {
  const isPromised = strata.every((tallies) =>
    [...tallies.values()].every(
      ({ expected, equal }) => Math.abs(expected - equal) < 1e-9 * picksOf(tallies),
    ),
  )
  if (isPromised) return null
  return testFit(
    strata.map((tallies) => stratumOf(tallies, (id) => tallies.get(id)?.equal ?? 0)),
    rng,
  ).p
}

/** The strata with the ledger's expected picks. */
export function promised(strata: readonly Tallies[]): Stratum[] {
  return strata.map((tallies) => stratumOf(tallies, (id) => tallies.get(id)?.expected ?? 0))
}

/** The p of a client that applies the shares of stratum `last` in all later strata too. */
function stale(strata: readonly Tallies[], last: number, rng: Rng): number {
  const kept = strata[last] ?? new Map()
  const picksThen = picksOf(kept)
  const since = strata.slice(last + 1).map((tallies) => {
    const scale = picksOf(tallies) / picksThen
    return stratumOf(new Map([...kept, ...tallies]), (id) => (kept.get(id)?.expected ?? 0) * scale, tallies)
  })
  return testFit([...promised(strata.slice(0, last + 1)), ...since], rng).p
}

function stratumOf(members: Tallies, expectedOf: (id: string) => number, picked: Tallies = members): Stratum {
  const ids = [...members.keys()]
  return { counts: ids.map((id) => picked.get(id)?.picks ?? 0), expected: ids.map(expectedOf) }
}

function isToOneEndpoint(tallies: Tallies): boolean {
  return [...tallies.values()].filter(({ picks }) => picks > 0).length === 1
}
