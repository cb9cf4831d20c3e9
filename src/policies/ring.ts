import { fractionOf, pointsOf } from './hash.js'
import { PointCircle } from './point-circle.js'

/**
 * An endpoint of middling weight has from this many points to 16 times as many. A share strays by
 * sqrt(share x (1 - share) / all points), the deviation of as many random arcs: of ten equal endpoints' 10% by
 * 0.4, and of two endpoints' 50% by 1.6: of 5,000 pairs 12 strayed by more than 5.
 */
const POINTS_OF_THE_MEDIAN = 512

/** Where the points would be more, all get fewer, in proportion: they take memory, and time to be made. */
const MOST_POINTS = 262_144

/** Weights of the same class differ by a factor below 16. */
const classOf = (weight: number) => Math.floor((32 - 1 - Math.clz32(weight)) / 4)

interface Member<Candidate> {
  readonly candidate: Candidate
  readonly id: string
  weight: number
  /** The part of a point that belongs to the id: no two members lose a point at the same moment. */
  readonly fraction: number
  /** The place of its n-th point. */
  readonly pointAt: (index: number) => number
  points: number
}

/**
 * A ring of points (Karger et al. 1997; ketama): each candidate has as many as its weight asks for, at least
 * one, and a key belongs to the owner of the first point from its own hash on. It depends on the candidates'
 * ids and weights alone, not on their order or history.
 *
 * A candidate's points do not depend on the others but for the scale, points per weight. That comes from the
 * median weight, rounded down to a power of 16, so that hardly any change of the membership changes it; then
 * keys move to a newcomer or from a leaver only. It does change where the median passes 16, 256 and so on:
 * then nearly all keys move. Beyond `MOST_POINTS` it changes with every change of the total weight, and by as
 * much: other candidates lose or gain a few points.
 *
 * A change takes time in proportion to the points that it adds and removes, and beyond `MOST_POINTS` a look at
 * each candidate. Changes are collected until the next look-up.
 */
export class Ring<Candidate> {
  private readonly slotOf = new Map<Candidate, number>()
  private readonly members: (Member<Candidate> | null)[] = []
  private readonly freeSlots: number[] = []
  /** Slots of candidates whose points are to be counted again. */
  private readonly changed = new Set<number>()
  /** How many weights there are of each class. */
  private readonly classes = new Float64Array(8)
  private totalWeight = 0
  private pointsPerWeight = 0
  private isSettled = true
  private readonly circle = new PointCircle((a, b) => this.memberAt(a).id < this.memberAt(b).id)

  get size(): number {
    return this.slotOf.size
  }

  has(candidate: Candidate): boolean {
    return this.slotOf.has(candidate)
  }

  get points(): number {
    if (!this.isSettled) this.settle()
    return this.circle.size
  }

  /** Adds a candidate, or changes its weight. @param id the same in every client, which so come to the same ring */
  put(candidate: Candidate, id: string, weight: number): void {
    const known = this.slotOf.get(candidate)
    const slot = known ?? this.enter(candidate, id)
    const member = this.memberAt(slot)
    if (known !== undefined) this.count(member.weight, -1)
    member.weight = weight
    this.count(weight, 1)
    this.changed.add(slot)
  }

  delete(candidate: Candidate): void {
    const slot = this.slotOf.get(candidate)
    if (slot === undefined) return
    const member = this.memberAt(slot)
    this.count(member.weight, -1)
    this.give(slot, member, 0)
    this.slotOf.delete(candidate)
    this.changed.delete(slot)
    this.members[slot] = null
    this.freeSlots.push(slot)
  }

  /** Who owns a key, by its hash from 0 up to 2^32 - 1; null when the ring is empty. */
  ownerOf(hash: number): Candidate | null {
    if (!this.isSettled) this.settle()
    const slot = this.circle.ownerFrom(hash)
    return slot === null ? null : this.memberAt(slot).candidate
  }

  private enter(candidate: Candidate, id: string): number {
    const slot = this.freeSlots.pop() ?? this.members.length
    this.slotOf.set(candidate, slot)
    const own = { fraction: fractionOf(id), pointAt: pointsOf(id) }
    this.members[slot] = { candidate, id, weight: 0, ...own, points: 0 }
    return slot
  }

  /** Only for a slot in use. */
  private memberAt(slot: number): Member<Candidate> {
    return this.members[slot] as Member<Candidate>
  }

  private count(weight: number, change: 1 | -1): void {
    const at = classOf(weight)
    this.classes[at] = (this.classes[at] as number) + change
    this.totalWeight += change * weight
    this.isSettled = false
  }

  /** Gives every candidate the points that its weight asks for. */
  private settle(): void {
    const scale = this.scale()
    const slots = scale === this.pointsPerWeight ? this.changed : this.slotOf.values()
    this.pointsPerWeight = scale
    for (const slot of slots) {
      const member = this.memberAt(slot)
      this.give(slot, member, Math.max(1, Math.floor(member.weight * scale + member.fraction)))
    }
    this.changed.clear()
    this.isSettled = true
  }

  private give(slot: number, member: Member<Candidate>, points: number): void {
    for (; member.points < points; member.points++) this.circle.add(member.pointAt(member.points), slot)
    for (; member.points > points; member.points--)
      this.circle.remove(member.pointAt(member.points - 1), slot)
  }

  private scale(): number {
    if (this.size === 0) return this.pointsPerWeight
    let below = 0
    let medianClass = 0
    // The median is the lower one of two.
    const median = (this.size - 1) >> 1
    while (below + (this.classes[medianClass] as number) <= median)
      below += this.classes[medianClass++] as number
    return Math.min(POINTS_OF_THE_MEDIAN / 16 ** medianClass, MOST_POINTS / this.totalWeight)
  }
}
