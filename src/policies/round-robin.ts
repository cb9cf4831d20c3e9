import { withoutParameters } from './parameters.js'
import type { Chooser } from './policy.js'
import { SlotHeap } from './slot-heap.js'

export const roundRobin = withoutParameters({
  name: 'round_robin',
  shortName: 'rr',
  weighted: false,
  shares: 'exact',
  create: () => new RoundRobin(),
})

/** A candidate that is READY again is served once its lag reaches this, in picks. */
const DUE_LAG = 0.5

/** A candidate in the circle, a doubly linked list: joining and leaving take O(1). */
interface Entry<Candidate> {
  readonly candidate: Candidate
  /** Its slot in `returning`. */
  readonly slot: number
  before: Entry<Candidate>
  after: Entry<Candidate>
  isLinked: boolean
  /** In picks, at `atTime`: its share of the picks made while it was READY, less its own picks. */
  lag: number
  atTime: number
}

/**
 * Serves each endpoint in turn. A newcomer is served after all present endpoints; when an endpoint leaves, the order of
 * the others stays. An endpoint that reconnects keeps its lag: when it is READY again, it is served as soon as the lag
 * is half a pick, and then takes the last place. The deviations of several reconnects therefore do not add up. All
 * operations take O(1), except a return from a reconnect, which takes O(log n) of the number of endpoints returning.
 */
class RoundRobin<Candidate> implements Chooser<Candidate> {
  private readonly entries = new Map<Candidate, Entry<Candidate>>()
  private readonly bySlot: Entry<Candidate>[] = []
  private readonly freeSlots: number[] = []
  private next: Entry<Candidate> | null = null
  /** Candidates that are READY again but not yet in the circle, by the time at which each is due. */
  private readonly returning = new SlotHeap()
  private linked = 0
  /** Virtual: each pick advances it by 1/size. */
  private time = 0

  get size(): number {
    return this.linked + this.returning.size
  }

  join(candidate: Candidate): void {
    const slot = this.freeSlots.pop() ?? this.bySlot.length
    const entry = { candidate, slot, isLinked: false, lag: 0, atTime: this.time } as Entry<Candidate>
    this.entries.set(candidate, entry)
    this.bySlot[slot] = entry
    this.link(entry)
  }

  reweigh(): void {
    // Every weight above 0 counts as one turn.
  }

  leave(candidate: Candidate): void {
    const entry = this.entries.get(candidate)
    if (!entry) return
    this.suspend(candidate)
    this.entries.delete(candidate)
    this.freeSlots.push(entry.slot)
  }

  suspend(candidate: Candidate): void {
    const entry = this.entries.get(candidate)
    if (!entry) return
    if (entry.isLinked) this.unlink(entry)
    else if (this.returning.holds(entry.slot)) this.returning.remove(entry.slot)
    else return
    entry.lag += this.time - entry.atTime
  }

  resume(candidate: Candidate): void {
    const entry = this.entries.get(candidate)
    if (!entry || entry.isLinked || this.returning.holds(entry.slot)) return
    entry.atTime = this.time
    this.returning.push(entry.slot, this.time + DUE_LAG - entry.lag)
  }

  choose(): Candidate | null {
    const { size, next, returning } = this
    if (size === 0) return null
    this.time += 1 / size
    const isReturnDue = returning.size > 0 && (next === null || returning.firstKey <= this.time)
    const entry = isReturnDue ? this.takeReturned() : (next as Entry<Candidate>)
    entry.lag += this.time - entry.atTime - 1
    entry.atTime = this.time
    if (entry === next) this.next = entry.after
    return entry.candidate
  }

  /** Takes the candidate that is due first and puts it last in the circle. */
  private takeReturned(): Entry<Candidate> {
    const entry = this.bySlot[this.returning.firstSlot] as Entry<Candidate>
    this.returning.pop()
    this.link(entry)
    return entry
  }

  private link(entry: Entry<Candidate>): void {
    this.linked++
    entry.isLinked = true
    const { next } = this
    entry.after = next ?? entry
    entry.before = next?.before ?? entry
    entry.before.after = entry
    entry.after.before = entry
    this.next ??= entry
  }

  private unlink(entry: Entry<Candidate>): void {
    this.linked--
    entry.isLinked = false
    entry.before.after = entry.after
    entry.after.before = entry.before
    if (this.next === entry) this.next = entry.after === entry ? null : entry.after
  }
}
