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

/** A candidate that returns from a reconnect is served when it is owed this part of a pick. */
const DUE_LAG = 0.5

/** A place in the circle. Linked, so that joining and leaving take O(1). */
interface Seat<Candidate> {
  readonly candidate: Candidate
  /** Its key in `returning`. */
  readonly slot: number
  before: Seat<Candidate>
  after: Seat<Candidate>
  isSeated: boolean
  /** In picks, at `atTime`: its share of the picks made while it was READY, less its own picks. */
  lag: number
  atTime: number
}

/**
 * Serves each endpoint in turn. A newcomer is served after all present endpoints; a leaver does not move the turn. An
 * endpoint that reconnects keeps its lag: after its return it is served as soon as it is owed half a pick, and then
 * takes the last place. So reconnects do not accumulate in either direction. All operations take O(1), except a
 * return, which takes O(log n) of the number returning.
 */
class RoundRobin<Candidate> implements Chooser<Candidate> {
  private readonly seats = new Map<Candidate, Seat<Candidate>>()
  private readonly bySlot: Seat<Candidate>[] = []
  private readonly freeSlots: number[] = []
  private next: Seat<Candidate> | null = null
  /** READY again but not yet in the circle, by the time at which each is due. */
  private readonly returning = new SlotHeap()
  private seated = 0
  /** Virtual: each pick advances it by 1/size. */
  private time = 0

  get size(): number {
    return this.seated + this.returning.size
  }

  join(candidate: Candidate): void {
    const slot = this.freeSlots.pop() ?? this.bySlot.length
    const seat = { candidate, slot, isSeated: false, lag: 0, atTime: this.time } as Seat<Candidate>
    this.seats.set(candidate, seat)
    this.bySlot[slot] = seat
    this.sit(seat)
  }

  reweigh(): void {
    // Every weight above 0 counts as one turn.
  }

  leave(candidate: Candidate): void {
    const seat = this.seats.get(candidate)
    if (!seat) return
    this.suspend(candidate)
    this.seats.delete(candidate)
    this.freeSlots.push(seat.slot)
  }

  suspend(candidate: Candidate): void {
    const seat = this.seats.get(candidate)
    if (!seat) return
    if (seat.isSeated) this.rise(seat)
    else if (this.returning.holds(seat.slot)) this.returning.remove(seat.slot)
    else return
    seat.lag += this.time - seat.atTime
  }

  resume(candidate: Candidate): void {
    const seat = this.seats.get(candidate)
    if (!seat || seat.isSeated || this.returning.holds(seat.slot)) return
    seat.atTime = this.time
    this.returning.push(seat.slot, this.time + DUE_LAG - seat.lag)
  }

  choose(): Candidate | null {
    const { size, next, returning } = this
    if (size === 0) return null
    this.time += 1 / size
    const isReturnDue = returning.size > 0 && (next === null || returning.firstKey <= this.time)
    const seat = isReturnDue ? this.takeReturned() : (next as Seat<Candidate>)
    seat.lag += this.time - seat.atTime - 1
    seat.atTime = this.time
    if (seat === next) this.next = seat.after
    return seat.candidate
  }

  /** Takes the candidate that is due first and puts it last in the circle. */
  private takeReturned(): Seat<Candidate> {
    const seat = this.bySlot[this.returning.firstSlot] as Seat<Candidate>
    this.returning.pop()
    this.sit(seat)
    return seat
  }

  private sit(seat: Seat<Candidate>): void {
    this.seated++
    seat.isSeated = true
    const { next } = this
    seat.after = next ?? seat
    seat.before = next?.before ?? seat
    seat.before.after = seat
    seat.after.before = seat
    this.next ??= seat
  }

  private rise(seat: Seat<Candidate>): void {
    this.seated--
    seat.isSeated = false
    seat.before.after = seat.after
    seat.after.before = seat.before
    if (this.next === seat) this.next = seat.after === seat ? null : seat.after
  }
}
