import type { Rng } from '../domain/rng.js'
import { ALPHA, testFit } from './goodness-of-fit.js'
import { picksOf, type Tallies } from './scope.js'
import type { Stratum } from './stratum.js'

/** Alternatives to the promised shares that picks may fit. */
export type AlternativeName = 'equal split' | 'pick_first' | 'stale weights'

interface Alternative {
  readonly name: AlternativeName
  /** The probability that picks of this alternative look no more likely; 1 if all picks match it exactly. */
  readonly p: number
}

/** The alternative that picks fit best; null if they fit none. */
export function bestAlternative(strata: readonly Tallies[], rng: Rng): Alternative | null {
  const alternatives: Alternative[] = [
    { name: 'pick_first', p: strata.every(isOfOne) ? 1 : 0 },
    { name: 'equal split', p: equalSplit(strata, rng) ?? 0 },
    // The client may have received some changes and none after them.
    ...strata.slice(1).map((_, at) => ({ name: 'stale weights', p: stale(strata, at, rng) }) as const),
  ]
  const best = alternatives.reduce((best, other) => (other.p > best.p ? other : best))
  return best.p < ALPHA ? null : best
}

/** The p of an equal split; null if equal shares are promised. */
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

/** Observed picks against the expected ones of the ledger. */
export function promised(strata: readonly Tallies[]): Stratum[] {
  return strata.map((tallies) => stratumOf(tallies, (id) => tallies.get(id)?.expected ?? 0))
}

/** The p of picks by the shares of one stratum, in it and in all that follow. */
function stale(strata: readonly Tallies[], last: number, rng: Rng): number {
  const heard = strata[last] ?? new Map()
  const picksThen = picksOf(heard)
  const since = strata.slice(last + 1).map((tallies) => {
    const scale = picksOf(tallies) / picksThen
    return stratumOf(new Map([...heard, ...tallies]), (id) => (heard.get(id)?.expected ?? 0) * scale, tallies)
  })
  return testFit([...promised(strata.slice(0, last + 1)), ...since], rng).p
}

function stratumOf(members: Tallies, expectedOf: (id: string) => number, picked: Tallies = members): Stratum {
  const ids = [...members.keys()]
  return { counts: ids.map((id) => picked.get(id)?.picks ?? 0), expected: ids.map(expectedOf) }
}

function isOfOne(tallies: Tallies): boolean {
  return [...tallies.values()].filter(({ picks }) => picks > 0).length === 1
}
