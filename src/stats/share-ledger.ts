import { addTallies, picksOf, Scope, type Tallies, type Tally } from './scope.js'
import { Shares } from './shares.js'

/** The largest gaps |picks - expected| of any endpoint under one membership, in picks. */
export interface Gaps {
  /** The value for memberships before an endpoint has left. */
  readonly beforeLeaves: number
  /** The value for memberships after an endpoint has left. */
  readonly afterLeaves: number
  /** The value after the first reconnect, whether or not an endpoint has left. */
  readonly afterReconnects: number
}

/**
 * Maximum number of strata. It suffices to detect an ignored change; with more, each would have too few picks to
 * judge.
 */
const MAX_STRATA = 8

/**
 * With more endpoints than this, work in O(n) is done only once in n picks. Thousands of endpoints may change one by
 * one, and a change then costs no more than the picks before it.
 */
const MANY_ENDPOINTS = 256

/**
 * Compares picks with the shares in force when they were made. An epoch is the time between two changes of the
 * rotation; expected picks are summed epoch by epoch. A gap is |picks - expected|, measured at the end of each epoch;
 * it continues through weight changes, and starts again at 0 with each change of membership.
 *
 * A reconnect does not change the membership: picks in the meantime are expected of the READY endpoints, and the gap
 * continues. The policies do the same: they keep the lag of a reconnecting endpoint, and the gap is that lag. Only
 * their bound on it is wider while endpoints reconnect.
 *
 * Each epoch is a stratum, but a reconnect does not begin a stratum: it changes shares only briefly. When there are too
 * many strata, the two neighbors with the fewest picks are merged, so that memory does not grow.
 */
export class ShareLedger {
  private readonly shares = new Shares()
  /** Strata that have ended; each has at least one pick. */
  private readonly ended: Map<string, Tally>[] = []
  private stratum = new Scope(this.shares)
  private membership = new Scope(this.shares)
  private longest: Tallies = new Map()
  private longestPicks = 0
  private gaps: Gaps = { beforeLeaves: 0, afterLeaves: 0, afterReconnects: 0 }
  private hasSeenLeave = false
  private hasSeenReconnect = false
  /** Members that are temporarily not READY. */
  private readonly away = new Set<string>()
  /** Endpoints picked since the gaps were last measured. */
  private readonly picked = new Set<string>()
  private picksSinceFullLook = 0
  private hasPicks = false

  /** Replaces the rotation. @param weights the endpoints in rotation from now on, each with a weight > 0 */
  rotate(weights: ReadonlyMap<string, number>): void {
    const changes = new Map<string, number>()
    for (const id of [...this.shares.ids, ...this.away]) if (!weights.has(id)) changes.set(id, 0)
    for (const [id, weight] of weights) if (this.shares.weightOf(id) !== weight) changes.set(id, weight)
    this.change(changes)
  }

  /**
   * Applies changes by the registry or the selection.
   *
   * @param changes new weights by id; 0 for an endpoint that leaves
   */
  change(changes: ReadonlyMap<string, number>): void {
    const { shares } = this
    this.look()
    let hasLeaver = false
    let hasNewcomer = false
    for (const [id, weight] of changes) {
      const isMember = shares.weightOf(id) > 0 || this.away.has(id)
      if (weight === 0) {
        hasLeaver ||= isMember
        this.away.delete(id)
      } else hasNewcomer ||= !isMember
    }
    const isSame = !hasLeaver && !hasNewcomer && this.isScaling(changes)
    if (hasLeaver || hasNewcomer) this.endMembership()
    if (!isSame) this.endStratum()
    if (hasLeaver && this.hasPicks) this.hasSeenLeave = true
    this.reweigh(changes)
  }

  /**
   * Applies reconnects.
   *
   * @param changes by id: 0 for a member that is no longer READY, its weight when it is READY again
   */
  reconnect(changes: ReadonlyMap<string, number>): void {
    this.look()
    for (const [id, weight] of changes) {
      if (weight === 0) this.away.add(id)
      else this.away.delete(id)
    }
    this.hasSeenReconnect = true
    this.reweigh(changes)
  }

  pick(id: string, times = 1): void {
    if (times === 0) return
    if (this.stratum.picks === 0 && this.ended.length === MAX_STRATA) joinThinnest(this.ended)
    this.shares.pick(times)
    this.stratum.pick(id, times)
    this.membership.pick(id, times)
    this.picked.add(id)
    this.picksSinceFullLook += times
    this.hasPicks = true
  }

  /** The tallies of all endpoints with observed or expected picks, by id, since the beginning. */
  tallies(): Tallies {
    const sum = new Map<string, Tally>()
    for (const stratum of this.strata()) addTallies(sum, stratum)
    return sum
  }

  /** The strata in order. Each has at least one pick. A stratum may consist of several merged epochs. */
  strata(): readonly Tallies[] {
    return this.stratum.picks === 0 ? this.ended : [...this.ended, this.stratum.tallies()]
  }

  /** The tallies of the membership with the most picks. */
  longestMembership(): Tallies {
    return this.membership.picks > this.longestPicks ? this.membership.tallies() : this.longest
  }

  largestGaps(): Gaps {
    return this.withGap(this.membership.picks === 0 ? 0 : this.membership.largestGap())
  }

  /**
   * Measures gaps before a change. With many endpoints, it measures those of all endpoints only once in n picks,
   * otherwise only those of the endpoints picked since the last time.
   */
  private look(): void {
    if (this.picked.size === 0) return
    if (this.shares.size <= MANY_ENDPOINTS || this.picksSinceFullLook >= this.shares.size) {
      this.gaps = this.largestGaps()
      this.picksSinceFullLook = 0
    } else {
      let largest = 0
      for (const id of this.picked) largest = Math.max(largest, this.membership.gapOf(id))
      this.gaps = this.withGap(largest)
    }
    this.picked.clear()
  }

  private withGap(gap: number): Gaps {
    const { beforeLeaves, afterLeaves, afterReconnects } = this.gaps
    if (this.hasSeenReconnect) {
      return { beforeLeaves, afterLeaves, afterReconnects: Math.max(gap, afterReconnects) }
    }
    return this.hasSeenLeave
      ? { beforeLeaves, afterLeaves: Math.max(gap, afterLeaves), afterReconnects }
      : { beforeLeaves: Math.max(gap, beforeLeaves), afterLeaves, afterReconnects }
  }

  private reweigh(changes: ReadonlyMap<string, number>): void {
    for (const id of changes.keys()) {
      if (this.stratum.picks > 0) this.stratum.settle(id)
      if (this.membership.picks > 0) this.membership.settle(id)
    }
    this.shares.change(changes)
    // A scope without picks begins again, with the new shares.
    if (this.stratum.picks === 0) this.stratum = new Scope(this.shares)
    if (this.membership.picks === 0) this.membership = new Scope(this.shares)
  }

  private endMembership(): void {
    if (this.membership.picks > this.longestPicks) {
      this.longest = this.membership.tallies()
      this.longestPicks = this.membership.picks
    }
    this.membership = new Scope(this.shares)
    this.picksSinceFullLook = 0
  }

  /**
   * Ends the current stratum if it has picks. With many endpoints, a stratum with fewer picks than endpoints continues:
   * it would be merged anyway.
   */
  private endStratum(): void {
    const { size } = this.shares
    const { picks } = this.stratum
    if (picks === 0 || (size > MANY_ENDPOINTS && picks < size)) return
    this.ended.push(this.stratum.tallies())
    this.stratum = new Scope(this.shares)
  }

  /** Whether the new weights leave all shares unchanged. */
  private isScaling(changes: ReadonlyMap<string, number>): boolean {
    if (changes.size === 0) return true
    if (changes.size !== this.shares.size) return false
    const [first] = changes
    const factor = first ? first[1] / this.shares.weightOf(first[0]) : 1
    return [...changes].every(([id, weight]) => weight === factor * this.shares.weightOf(id))
  }
}

/** Merges the two neighbors with the fewest picks. */
function joinThinnest(strata: Map<string, Tally>[]): void {
  const picks = strata.map(picksOf)
  const pairs = picks.slice(1).map((after, at) => after + (picks[at] ?? 0))
  const at = pairs.indexOf(Math.min(...pairs))
  const [joined, after] = strata.slice(at, at + 2)
  if (!joined || !after) return
  addTallies(joined, after)
  strata.splice(at + 1, 1)
}
