import { withoutParameters } from './parameters.js'
import type { Chooser } from './policy.js'
import { SlotHeap } from './slot-heap.js'

export const weightedRoundRobin = withoutParameters({
  name: 'weighted_round_robin',
  shortName: 'wrr',
  weighted: true,
  shares: 'exact',
  create: () => new EarliestEligibleDeadline(),
})

/**
 * Two virtual times whose difference is smaller than this are treated as equal: a weight change leaves rounding errors of
 * this size.
 */
const SAME_TIME = 1e-12

/** Virtual time is reset to 0 at this value: the larger it is, the fewer bits of the number are left for its fraction. */
const REBASE_AT = 256

/**
 * Weighted round robin by earliest eligible virtual deadline first (EEVDF, Stoica and Abdel-Wahab 1995). It solves the
 * chairman assignment problem (Tijdeman 1980): while membership and weights do not change, no candidate's count is ever
 * a whole pick away from its exact share, at any moment and for any weights.
 *
 * A pick first advances virtual time by 1/(total weight). Each candidate has one turn at a time. A turn is eligible
 * once virtual time is past its start, and its deadline is 1/weight after its start. A pick serves the eligible turn
 * with the earliest deadline; the candidate's next turn starts at that deadline. O(log n) for a pick and for a weight
 * change.
 *
 * A candidate's lag, weight x (now - start), is its exact share of all picks so far minus its own picks. A new weight
 * keeps the lag. When a candidate leaves, its lag is shared among the others by moving virtual time. When a candidate is
 * suspended for a reconnect, virtual time is not moved, and the candidate keeps its lag. If it leaves while it is
 * suspended, its lag is discarded. Both during a suspension and after a discarded lag, the lags of the candidates that
 * are not suspended no longer sum to 0, so a candidate may be more than a pick away from its exact share
 * (`test/property/reconnects.test.ts` has the limits). If no turn is eligible, the one that starts first is served.
 *
 * While weights change, no candidate is ever a whole pick ahead, and few are a pick or more behind. Without knowing
 * future weights, no rule can keep all candidates less than a pick behind. Example: four candidates have weight 10, and
 * each gets weight 1 when it is picked. After three picks the fourth is behind by 10/40 + 10/31 + 10/22 = 1.03.
 * `npm run bench -- gaps 500000` simulates 500,000 runs of 500 picks. Before each pick, with a probability of a fifth, one
 * candidate gets a random new weight. If weights are drawn from 1 to 1,000, some candidate is a pick or more behind in 54
 * runs per million, and the largest lag is 1.20 picks. If each weight is drawn from 1 to 10 or, with equal probability,
 * from 1 to 1,000, this happens in 9,166 runs per million, and the largest lag is 1.80 picks.
 *
 * Each candidate that is not suspended has a slot. A newcomer, or one that resumes, gets the lowest free slot, or a new
 * one. The lower slot wins a tie, so that a run can be repeated. Each array has an entry for every slot in use, hence
 * `as number`.
 */
class EarliestEligibleDeadline<Candidate> implements Chooser<Candidate> {
  private readonly slotOf = new Map<Candidate, number>()
  /** Suspended candidates, with their lags. */
  private readonly lagOfAway = new Map<Candidate, number>()
  private readonly candidates: (Candidate | null)[] = []
  private readonly freeSlots = new SlotHeap()
  private readonly weights: number[] = []
  /**
   * By slot: the start of a turn, from which the starts of later turns are computed. It is set when the candidate enters,
   * when its weight changes and when virtual time is reset. The current turn starts at `origins + served / weights`:
   * adding 1/weight at each pick would accumulate rounding errors.
   */
  private readonly origins: number[] = []
  /** By slot: the number of the candidate's picks since `origins` was set. */
  private readonly served: number[] = []
  /**
   * Turns in the order of their starts: those that had not started at the last pick, and those that were queued since. At
   * the next pick, `startTurns` moves the started ones to `eligible`.
   */
  private readonly waiting = new SlotHeap()
  /** Turns that had already started at the last pick, in the order of their deadlines. */
  private readonly eligible = new SlotHeap()
  private origin = 0
  private picksSinceOrigin = 0
  private totalWeight = 0

  get size(): number {
    return this.slotOf.size
  }

  join(candidate: Candidate, weight: number): void {
    this.enter(candidate, weight, 0)
  }

  reweigh(candidate: Candidate, weight: number): void {
    const slot = this.slotOf.get(candidate)
    if (slot === undefined || this.weights[slot] === weight) return
    const now = this.now()
    const before = this.weights[slot] as number
    const lag = this.lagOf(slot, now)
    this.unqueue(slot)
    this.restartAt(now, this.totalWeight + weight - before)
    this.serveFrom(slot, now - lag / weight, weight)
  }

  leave(candidate: Candidate): void {
    this.lagOfAway.delete(candidate)
    const slot = this.slotOf.get(candidate)
    if (slot === undefined) return
    const now = this.now()
    const lag = this.lagOf(slot, now)
    const remaining = this.totalWeight - (this.weights[slot] as number)
    this.release(candidate, slot)
    this.restartAt(remaining > 0 ? now + lag / remaining : now, remaining)
  }

  suspend(candidate: Candidate): void {
    const slot = this.slotOf.get(candidate)
    if (slot === undefined) return
    const now = this.now()
    this.lagOfAway.set(candidate, this.lagOf(slot, now))
    const remaining = this.totalWeight - (this.weights[slot] as number)
    this.release(candidate, slot)
    this.restartAt(now, remaining)
  }

  resume(candidate: Candidate, weight: number): void {
    const lag = this.lagOfAway.get(candidate) ?? 0
    this.lagOfAway.delete(candidate)
    this.enter(candidate, weight, lag)
  }

  choose(): Candidate | null {
    if (this.totalWeight === 0) return null
    this.picksSinceOrigin++
    const now = this.now()
    this.startTurns(now - SAME_TIME)
    const slot = this.eligible.size > 0 ? this.eligible.firstSlot : this.waiting.firstSlot
    this.served[slot] = (this.served[slot] as number) + 1
    const start = this.startOf(slot)
    if (!this.eligible.holds(slot)) this.waiting.delay(slot, start)
    else if (start < now - SAME_TIME) this.eligible.delay(slot, this.deadlineOf(slot))
    else {
      this.eligible.remove(slot)
      this.waiting.push(slot, start)
    }
    if (now > REBASE_AT) this.rebase(now)
    return this.candidates[slot] as Candidate
  }

  private enter(candidate: Candidate, weight: number, lag: number): void {
    const now = this.now()
    const slot = this.takeSlot()
    this.slotOf.set(candidate, slot)
    this.candidates[slot] = candidate
    this.restartAt(now, this.totalWeight + weight)
    this.serveFrom(slot, now - lag / weight, weight)
  }

  private release(candidate: Candidate, slot: number): void {
    this.slotOf.delete(candidate)
    this.unqueue(slot)
    this.candidates[slot] = null
    this.freeSlots.push(slot, slot)
  }

  /** The lag of a slot's candidate, in picks; negative if it is ahead. */
  private lagOf(slot: number, now: number): number {
    return (this.weights[slot] as number) * (now - this.startOf(slot))
  }

  private now(): number {
    return this.totalWeight === 0 ? this.origin : this.origin + this.picksSinceOrigin / this.totalWeight
  }

  private restartAt(now: number, totalWeight: number): void {
    this.origin = now
    this.picksSinceOrigin = 0
    this.totalWeight = totalWeight
  }

  private serveFrom(slot: number, start: number, weight: number): void {
    this.weights[slot] = weight
    this.origins[slot] = start
    this.served[slot] = 0
    this.waiting.push(slot, start)
  }

  private startOf(slot: number): number {
    return (this.origins[slot] as number) + (this.served[slot] as number) / (this.weights[slot] as number)
  }

  private deadlineOf(slot: number): number {
    return (
      (this.origins[slot] as number) + ((this.served[slot] as number) + 1) / (this.weights[slot] as number)
    )
  }

  /**
   * Moves turns that started before `limit` from `waiting` to `eligible`. Then, while the turn at the head of
   * `eligible` did not start before `limit`, moves it back to `waiting`.
   */
  private startTurns(limit: number): void {
    const { waiting, eligible } = this
    while (waiting.size > 0 && waiting.firstKey < limit) {
      const slot = waiting.firstSlot
      waiting.pop()
      eligible.push(slot, this.deadlineOf(slot))
    }
    // A leaver may have moved virtual time back, to before the start of eligible turns.
    while (eligible.size > 0 && this.startOf(eligible.firstSlot) >= limit) {
      const slot = eligible.firstSlot
      eligible.pop()
      waiting.push(slot, this.startOf(slot))
    }
  }

  private unqueue(slot: number): void {
    this.waiting.remove(slot)
    this.eligible.remove(slot)
  }

  private takeSlot(): number {
    if (this.freeSlots.size === 0) return this.candidates.length
    const slot = this.freeSlots.firstSlot
    this.freeSlots.pop()
    return slot
  }

  /** Resets virtual time to 0. Shifting all turns by the same time keeps the order in both heaps. */
  private rebase(now: number): void {
    for (const slot of this.slotOf.values()) {
      this.origins[slot] = this.startOf(slot) - now
      this.served[slot] = 0
    }
    this.waiting.rekey((slot) => this.startOf(slot))
    this.eligible.rekey((slot) => this.deadlineOf(slot))
    this.restartAt(0, this.totalWeight)
  }
}
