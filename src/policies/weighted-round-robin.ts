import { type HeapMember, IndexedHeap } from './indexed-heap.js'
import { withoutParameters } from './parameters.js'
import type { Chooser } from './policy.js'

export const weightedRoundRobin = withoutParameters({
  ...{ name: 'weighted_round_robin', shortName: 'wrr', weighted: true, shares: 'exact' },
  create: () => new EarliestEligibleDeadline(),
})

/**
 * A candidate's next turn, in virtual time: it may be served from `start` on, and is due by `deadline`. Both
 * are quotients of whole numbers since `origin`, so that nothing adds up rounding errors.
 */
interface Turn<Candidate> extends HeapMember {
  readonly candidate: Candidate
  /** Breaks ties by order of joining, so that a run can be repeated. */
  readonly seniority: number
  weight: number
  origin: number
  /** Times served since the origin. */
  served: number
  start: number
  deadline: number
}

/** Two times that differ by less are the same: a weight change leaves rounding errors of this size. */
const SAME_TIME = 1e-12

/** Virtual time is set back to 0 when it has come this far, before it loses digits to its integer part. */
const REBASE_AT = 256

/**
 * Weighted round robin by earliest eligible virtual deadline first: the chairman assignment problem
 * (Tijdeman 1980), as EEVDF (Stoica and Abdel-Wahab 1995). While membership and weights stand, no candidate
 * is ever a whole pick away from its exact share, at any moment and for any weights. Through weight changes
 * none is ever a whole pick ahead; a pick or more behind takes changes that are both frequent and extreme
 * (seen: 1.4 with weights of 1 to 500, mostly small, redrawn on every fifth pick).
 *
 * Virtual time advances by 1/(total weight) a pick. Of the turns that have started, the one with the least
 * deadline is served, and its next turn starts when this one was due. A new weight keeps the lag, which is
 * weight x (now - start): what a candidate is owed does not change with its weight. A leaver's lag is shared
 * among those who stay, by moving virtual time. O(log n) for a pick and for a weight change.
 */
class EarliestEligibleDeadline<Candidate> implements Chooser<Candidate> {
  private readonly turns = new Map<Candidate, Turn<Candidate>>()
  private readonly waiting = new IndexedHeap<Turn<Candidate>>(
    (a, b) => a.start < b.start || (a.start === b.start && a.seniority < b.seniority),
  )
  private readonly eligible = new IndexedHeap<Turn<Candidate>>(
    (a, b) => a.deadline < b.deadline || (a.deadline === b.deadline && a.seniority < b.seniority),
  )
  private origin = 0
  private picksSinceOrigin = 0
  private totalWeight = 0
  private joined = 0

  get size(): number {
    return this.turns.size
  }

  join(candidate: Candidate, weight: number): void {
    const now = this.now()
    const turn: Turn<Candidate> = {
      ...{ candidate, weight, seniority: this.joined++, place: -1 },
      ...{ origin: now, served: 0, start: now, deadline: now + 1 / weight },
    }
    this.turns.set(candidate, turn)
    this.restartAt(now, this.totalWeight + weight)
    this.waiting.push(turn)
  }

  reweigh(candidate: Candidate, weight: number): void {
    const turn = this.turns.get(candidate)
    if (turn === undefined || turn.weight === weight) return
    const now = this.now()
    const lag = turn.weight * (now - turn.start)
    this.heapOf(turn).remove(turn)
    this.restartAt(now, this.totalWeight + weight - turn.weight)
    turn.weight = weight
    this.serveFrom(turn, now - lag / weight)
  }

  leave(candidate: Candidate): void {
    const turn = this.turns.get(candidate)
    if (turn === undefined) return
    this.turns.delete(candidate)
    this.heapOf(turn).remove(turn)
    const now = this.now()
    const lag = turn.weight * (now - turn.start)
    const remaining = this.totalWeight - turn.weight
    this.restartAt(remaining > 0 ? now + lag / remaining : now, remaining)
  }

  choose(): Candidate | null {
    if (this.totalWeight === 0) return null
    this.picksSinceOrigin++
    const now = this.now()
    this.admit(now)
    const turn = this.earliestEligible(now) ?? this.waiting.first
    if (turn === undefined) return null
    this.heapOf(turn).remove(turn)
    turn.served++
    this.reschedule(turn)
    if (now > REBASE_AT) this.rebase(now)
    return turn.candidate
  }

  private now(): number {
    return this.totalWeight === 0 ? this.origin : this.origin + this.picksSinceOrigin / this.totalWeight
  }

  private restartAt(now: number, totalWeight: number): void {
    this.origin = now
    this.picksSinceOrigin = 0
    this.totalWeight = totalWeight
  }

  private serveFrom(turn: Turn<Candidate>, start: number): void {
    turn.origin = start
    turn.served = 0
    this.reschedule(turn)
  }

  private reschedule(turn: Turn<Candidate>): void {
    turn.start = turn.origin + turn.served / turn.weight
    turn.deadline = turn.origin + (turn.served + 1) / turn.weight
    this.waiting.push(turn)
  }

  /** Moves every turn that has started to where deadlines are compared. */
  private admit(now: number): void {
    for (let turn = this.waiting.first; turn && hasStarted(turn, now); turn = this.waiting.first) {
      this.waiting.remove(turn)
      this.eligible.push(turn)
    }
  }

  /** A leaver may have moved virtual time back: turns that thereby have not started wait again. */
  private earliestEligible(now: number): Turn<Candidate> | undefined {
    for (let turn = this.eligible.first; turn; turn = this.eligible.first) {
      if (hasStarted(turn, now)) return turn
      this.eligible.remove(turn)
      this.waiting.push(turn)
    }
    return undefined
  }

  private heapOf(turn: Turn<Candidate>): IndexedHeap<Turn<Candidate>> {
    return this.waiting.holds(turn) ? this.waiting : this.eligible
  }

  /** Moving every turn by the same time keeps both orders. */
  private rebase(now: number): void {
    for (const turn of this.turns.values()) {
      turn.origin = turn.start - now
      turn.served = 0
      turn.start = turn.origin
      turn.deadline = turn.origin + 1 / turn.weight
    }
    this.restartAt(0, this.totalWeight)
  }
}

function hasStarted(turn: { readonly start: number }, now: number): boolean {
  return turn.start < now - SAME_TIME
}
