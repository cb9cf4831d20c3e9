import { withoutParameters } from './parameters.js'
import type { Chooser } from './policy.js'
import { SlotHeap } from './slot-heap.js'

export const weightedRoundRobin = withoutParameters({
  ...{ name: 'weighted_round_robin', shortName: 'wrr', weighted: true, shares: 'exact' },
  create: () => new EarliestEligibleDeadline(),
})

/** Two times that differ by less are the same: a weight change leaves rounding errors of this size. */
const SAME_TIME = 1e-12

/** Virtual time is set back to 0 when it has come this far, before it loses digits to its integer part. */
const REBASE_AT = 256

/** Less than a whole pick, by more than what rounding makes of a lag. */
const LESS_THAN_A_PICK = 1 - 1e-6

/** Of so many turns, from the one due first, one is served. More would gain little, and each costs time. */
const FRONT = 4

/** What decides between them, from 0, what they are owed alone, to 1, when they are due alone. */
const DUE_SOON = 0.2

/**
 * Weighted round robin by earliest eligible virtual deadline first: the chairman assignment problem
 * (Tijdeman 1980), as EEVDF (Stoica and Abdel-Wahab 1995), with overtaking. While membership and weights
 * stand, no candidate is ever a whole pick away from its exact share, at any moment and for any weights.
 *
 * Virtual time advances by 1/(total weight) a pick. A candidate is owed its lag, weight x (now - start of its
 * turn). Its turn may be served from the start on, and is due by its deadline, 1/weight later; when it is
 * served, the next one starts at that deadline. A new weight keeps the lag: what a candidate is owed does not
 * change with its weight. A leaver's lag is shared among those who stay, by moving virtual time. O(log n) for
 * a pick and for a weight change.
 *
 * A candidate that is away for a reconnect keeps its lag, and virtual time stays: nobody gains or loses by it,
 * so every candidate's lag is always its share of the picks that were made while it was READY, less its own.
 * The lags of those READY then no longer sum to 0, so one may stray by more than a pick while others are away:
 * see `test/property/reconnects.test.ts` for how far. Where nobody is owed anything, the turn that starts next
 * is served.
 *
 * A turn may overtake those due before it as long as these are owed less than a pick together, and the promise
 * holds: take the h picks that follow this one until some deadline before its own, by which m started turns
 * are due. Of these picks' shares the m turns take what they are not owed yet, m less their lags, and each
 * turn that starts later takes 1. With lags of less than 1 together they are fewer than h + 1 turns, and h
 * picks serve them all. Of the turns that may be next, the one with the least (1 - lag) / weight^0.2 is. By
 * deadline alone the heavy ones run ahead, and the light ones are left with lags of nearly 1: when a weight
 * changes, more of them can fall due at once than there are picks.
 *
 * Through weight changes nobody is ever a whole pick ahead, and hardly anybody a pick behind. No rule that
 * does not know the future is safe from every change: of four that weigh 10 let each that is picked weigh 1
 * from then on, and after three picks the fourth is owed 10/40 + 10/31 + 10/22 = 1.03. Counted by
 * `npm run bench -- gaps 1000000`, a weight drawn anew before a fifth of the picks: evenly from 1 to 10, nobody
 * in a million runs; from 1 to 1,000, one, by 1.01; half of them from 1 to 10 and half from 1 to 1,000, 971,
 * by 1.29 at most. By deadline alone it was 12, 54 and 9,166 a million, by 1.08, 1.20 and 1.80.
 *
 * Candidates have slots, given in order of joining, by which ties are broken, so that a run can be repeated;
 * a slot that was left is the next newcomer's. Every slot in use has an entry in each array: hence `as number`.
 */
class EarliestEligibleDeadline<Candidate> implements Chooser<Candidate> {
  private readonly slotOf = new Map<Candidate, number>()
  /** Candidates that are away, with their lags. */
  private readonly lagOfAway = new Map<Candidate, number>()
  private readonly candidates: (Candidate | null)[] = []
  private readonly freeSlots = new SlotHeap()
  private readonly weights: number[] = []
  /** Starts are quotients of whole numbers since an origin, so that nothing adds up rounding errors. */
  private readonly origins: number[] = []
  /** Times served since the origin. */
  private readonly served: number[] = []
  /** Turns that have not started, by start. */
  private readonly waiting = new SlotHeap()
  /** Turns that have started, by deadline. */
  private readonly eligible = new SlotHeap()
  /** What 1 - lag is weighed with: weight^-DUE_SOON. */
  private readonly ease: number[] = []
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
    // Where no turn has started (others are away with what is owed), the one that starts first is served.
    const slot = this.eligible.size > 0 ? this.mostPressing(now) : this.waiting.firstSlot
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

  /** What the candidate of a slot is owed, in picks; below 0 where it is ahead. */
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
    this.ease[slot] = weight ** -DUE_SOON
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

  /** Turns that started before `limit` are eligible. */
  private startTurns(limit: number): void {
    const { waiting, eligible } = this
    while (waiting.size > 0 && waiting.firstKey < limit) {
      const slot = waiting.firstSlot
      waiting.pop()
      eligible.push(slot, this.deadlineOf(slot))
    }
    // A leaver may have moved virtual time back: turns that thereby have not started wait again.
    while (eligible.size > 0 && this.startOf(eligible.firstSlot) >= limit) {
      const slot = eligible.firstSlot
      eligible.pop()
      waiting.push(slot, this.startOf(slot))
    }
  }

  /** Whose turn is served: the one due first, or one that may overtake it. */
  private mostPressing(now: number): number {
    const { eligible, ease } = this
    let chosen = eligible.firstSlot
    let least = Number.POSITIVE_INFINITY
    let owedBefore = 0
    eligible.walk()
    for (let turn = 0; turn < FRONT && owedBefore < LESS_THAN_A_PICK; turn++) {
      const slot = eligible.next()
      if (slot < 0) break
      const lag = this.lagOf(slot, now)
      if (lag <= 0) continue
      const leisure = (1 - lag) * (ease[slot] as number)
      if (leisure < least - SAME_TIME) {
        chosen = slot
        least = leisure
      }
      owedBefore += lag
    }
    return chosen
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

  /** Moving every turn by the same time keeps both orders. */
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
