import type { Rng } from '../domain/rng.js'
import type { ShareRule } from '../domain/shares.js'
import { type AlternativeName, bestAlternative, equalSplit, promised } from './alternatives.js'
import { ALPHA, type FitTest, testRejection } from './goodness-of-fit.js'
import { type Contrast, callsForFit, callsForGap } from './power.js'
import { picksOf, type Tallies } from './scope.js'
import type { ShareLedger } from './share-ledger.js'

/** The result of a run: whether the picks follow the promised shares. */
export interface Verdict {
  /**
   * `inconclusive`: they do, but there are too few picks to exclude chance. `not-judged`: the policy promises no
   * shares.
   */
  readonly result: 'pass' | 'fail' | 'inconclusive' | 'not-judged'
  readonly test: 'max-gap' | FitTest | null
  /**
   * The largest |picks - expected| of any endpoint, in calls. The test `max-gap` has three such gaps, each with a limit
   * of its own: before any endpoint has left, after one has left, and after a reconnect. This is then the one that
   * exceeds its limit most or, if none does, comes closest to it.
   */
  readonly gap: number
  /** The largest gap that passes; null if the test does not use the gap. */
  readonly limit: number | null
  /** The probability of such picks by chance; null if the test computes none. */
  readonly p: number | null
  /** The alternative that failing picks fit better; null if they pass, or fit no known alternative. */
  readonly alternative: AlternativeName | null
  /**
   * The p-value of the alternative: if it were true, the probability of picks that are at most as likely as the
   * observed ones. Null if `alternative` is null.
   */
  readonly alternativeP: number | null
  /** The p of the alternative "equal split"; null if the policy promises equal shares, or no shares. */
  readonly equalSplitP: number | null
  /**
   * The number of calls needed to detect, with a power of 99 %, that weights are ignored; null if it cannot be
   * detected. For the test `max-gap`, membership must not change during these calls.
   */
  readonly neededCalls: number | null
}

/**
 * The limit before an endpoint has left. An `exact` policy deviates by less than one call at any moment since its first
 * pick, and therefore by less than two calls between two moments. A run may begin after the policy's first pick.
 */
const MAX_GAP_LIMIT_CALLS = 2

/**
 * The limit after an endpoint has left. Its lag of less than a call is shared among those that stay, so the lag of one
 * of them may exceed a call. Measured: a gap of 2 or more in 4 of 160,000 random walks of joins and leaves, 2.19 at
 * most.
 */
const MAX_GAP_LIMIT_CALLS_AFTER_LEAVES = 3

/**
 * The limit after a reconnect. A reconnecting endpoint keeps its lag, and the lags of the others no longer sum to 0.
 * Measured on the policies alone, without gRPC calls: 2.9 (weighted_round_robin) and 4.7 (round_robin) at most in 9,000
 * random runs of up to 13 endpoints. In a run, up to 90 % of the picks were followed by the disconnect of an endpoint,
 * which was away for up to 30 picks.
 */
const MAX_GAP_LIMIT_CALLS_AFTER_RECONNECTS = 5

/**
 * Judges picks against the shares in force when they were made.
 *
 * The policy's rule selects the test. `exact`: no endpoint deviates by more than the limit. `random`: a test of fit at
 * alpha 0.01 (chi-square, or the exact multinomial test). `none`: no test. Each change of the endpoints or of their
 * shares, other than a reconnect, begins a stratum; the tests of fit cover all strata together.
 *
 * @param rng random numbers for tests by simulation. The same seed gives the same verdict for the same picks.
 */
export function judge(ledger: ShareLedger, rule: ShareRule, rng: Rng): Verdict {
  const strata = ledger.strata()
  const finding = rule === 'exact' ? byGap(ledger) : rule === 'random' ? byFit(strata, rng) : NOT_JUDGED
  const alternative = finding.result === 'fail' ? bestAlternative(strata, rng) : null
  return {
    result: finding.result,
    test: finding.test,
    gap: round(finding.gap ?? Math.max(...Object.values(ledger.largestGaps()))),
    limit: finding.limit,
    p: significant(finding.p),
    alternative: alternative?.name ?? null,
    alternativeP: significant(alternative?.p ?? null),
    equalSplitP: rule === 'none' ? null : significant(equalSplit(strata, rng)),
    neededCalls: finding.neededCalls,
  }
}

type Finding = Pick<Verdict, 'result' | 'test' | 'limit' | 'p' | 'neededCalls'> & { readonly gap?: number }

const NOT_JUDGED: Finding = { result: 'not-judged', test: null, limit: null, p: null, neededCalls: null }

/** The test for `exact` policies. It reports the gap that exceeds its limit most, or else comes closest to it. */
function byGap(ledger: ShareLedger): Finding {
  const { beforeLeaves, afterLeaves, afterReconnects } = ledger.largestGaps()
  const findings: readonly { readonly gap: number; readonly limit: number }[] = [
    { gap: beforeLeaves, limit: MAX_GAP_LIMIT_CALLS },
    { gap: afterLeaves, limit: MAX_GAP_LIMIT_CALLS_AFTER_LEAVES },
    { gap: afterReconnects, limit: MAX_GAP_LIMIT_CALLS_AFTER_RECONNECTS },
  ]
  const { gap, limit } = findings.reduce((nearest, one) =>
    one.gap - one.limit > nearest.gap - nearest.limit ? one : nearest,
  )
  const longest = ledger.longestMembership()
  const picks = picksOf(longest)
  const needed = picks === 0 ? null : finite(callsForGap(contrast(longest, picks), limit))
  return {
    result: gap > limit ? 'fail' : resultOf(picks, needed),
    test: 'max-gap',
    gap,
    limit,
    p: null,
    neededCalls: needed,
  }
}

function byFit(strata: readonly Tallies[], rng: Rng): Finding {
  const picks = strata.reduce((sum, tallies) => sum + picksOf(tallies), 0)
  const { test, p } = testRejection(promised(strata), rng)
  const needed = finite(callsForFit(strata.map((tallies) => contrast(tallies, picks))))
  return {
    result: p < ALPHA ? 'fail' : resultOf(picks, needed),
    test,
    limit: null,
    p,
    neededCalls: needed,
  }
}

function resultOf(picks: number, needed: number | null): 'pass' | 'inconclusive' {
  return picks === 0 || (needed !== null && picks < needed) ? 'inconclusive' : 'pass'
}

function contrast(tallies: Tallies, picksOfAll: number): Contrast {
  const picks = picksOf(tallies)
  const all = [...tallies.values()]
  return {
    part: picks / picksOfAll,
    promised: all.map(({ expected }) => expected / picks),
    ignored: all.map(({ equal }) => equal / picks),
  }
}

function finite(calls: number): number | null {
  return Number.isFinite(calls) ? calls : null
}

function round(calls: number): number {
  return Math.round(calls * 1000) / 1000
}

/** Rounds to four digits: p is not known more precisely. */
function significant<P extends number | null>(p: P): P | number {
  return p === null ? p : Number(p.toPrecision(4))
}
