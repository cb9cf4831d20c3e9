import { addTallies, picksOf, Scope, type Tallies, type Tally } from './scope.js'
import { Shares } from './shares.js'

/** The largest |picks - expected| of any endpoint under one membership, in picks. */
export interface Gaps {
  readonly beforeLeaves: number
  /** The value for memberships after the first endpoint has left. */
  readonly afterLeaves: number
  /** Since the first reconnect, including leaves. */
  readonly afterReconnects: number
}

/** Enough to detect an ignored change; with more strata each would have too few picks to judge. */
const MAX_STRATA = 8

/**
 * Among more endpoints than this, work in O(n) waits for as many picks, so that a change costs no more than the picks
 * before it: thousands of endpoints may change one by one.
 */
const MANY_ENDPOINTS = 256

/**
 * Compares picks with the shares in force when they were made. An epoch is the time between two changes of the
 * rotation; picks x share is summed epoch by epoch. A gap is |picks - expected|, measured at the end of each epoch;
 * it continues through weight changes, and starts again at 0 with each change of membership.
 *
 * A reconnect does not change the membership: picks in the meantime are expected of the READY endpoints, and the gap
 * continues. That is sound because the policies keep the lag of a reconnecting endpoint, so its gap is the policy's
 * own account of it; the policy's bound is merely wider while endpoints reconnect.
 *
 * Epochs are kept apart as strata; a reconnect does not begin one, since it changes shares only briefly. When there
 * are too many, the two neighbours with the fewest picks are merged, so that memory does not grow.
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

  /** @param weights the endpoints in rotation from now on, each with a weight > 0 */
  rotate(weights: ReadonlyMap<string, number>): void {
    const changes = new Map<string, number>()
    for (const id of [...this.shares.ids, ...this.away]) if (!weights.has(id)) changes.set(id, 0)
    for (const [id, weight] of weights) if (this.shares.weightOf(id) !== weight) changes.set(id, weight)
    this.change(changes)
  }

  /** @param changes weights changed by the registry or the selection, by id; 0 for an endpoint that leaves */
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

  /** @param changes by id: 0 for members that are no longer READY, and the weight of those that are READY again */
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

  /** All endpoints with observed or expected picks, since the beginning. */
  tallies(): Tallies {
    const sum = new Map<string, Tally>()
    for (const stratum of this.strata()) addTallies(sum, stratum)
    return sum
  }

  /** Epochs in order, some of them merged with neighbours; each has at least one pick. */
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

  /** Measures gaps before they change: all of them, or among very many only those that a pick has changed. */
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
    // Settled at the same virtual time, which the change has not moved: new scopes begin with the new shares.
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

  /** Among very many endpoints, a stratum with fewer picks than endpoints continues: it would be merged anyway. */
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

function joinThinnest(strata: Map<string, Tally>[]): void {
  const picks = strata.map(picksOf)
  const pairs = picks.slice(1).map((after, at) => after + (picks[at] ?? 0))
  const at = pairs.indexOf(Math.min(...pairs))
  const [joined, after] = strata.slice(at, at + 2)
  if (!joined || !after) return
  addTallies(joined, after)
  strata.splice(at + 1, 1)
}
