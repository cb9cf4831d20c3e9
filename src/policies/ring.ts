import { fractionOf, pointsOf } from './hash.js'

/**
 * An endpoint of middling weight has from this many points to 16 times as many. A share strays by
 * sqrt(share x (1 - share) / all points), the deviation of as many random arcs: of ten equal endpoints' 10% by
 * 0.4, and of two endpoints' 50% by 1.6: of 5,000 pairs 12 strayed by more than 5.
 */
const POINTS_OF_THE_MEDIAN = 512

/** Where the points would be more, all get fewer, in proportion: building a ring blocks its client. */
const MOST_POINTS = 262_144

export interface RingMember {
  /** The same in every client, which so come to the same ring. */
  readonly id: string
  readonly weight: number
}

/**
 * A ring of points (Karger et al. 1997; ketama): each member has as many as its weight asks for, at least
 * one, and a key belongs to the owner of the first point from its own hash on. It depends on the members
 * alone, not on their order or history.
 *
 * A member's points do not depend on the others but for the scale, points per weight. That comes from the
 * median weight, rounded down to a power of 16, so that hardly any change of the membership changes it; then
 * keys move to a newcomer or from a leaver only. It does change where the median passes 16, 256 and so on:
 * then nearly all keys move. And beyond `MOST_POINTS` it changes with every change of the total weight, and
 * by as much.
 */
export class Ring<Member extends RingMember> {
  private readonly members: readonly Member[]
  /** The points, in order; the owner of each is its place among the members. */
  private readonly hashes: Uint32Array
  private readonly owners: Uint32Array
  /**
   * Points are spread evenly, so their first bits say nearly where they are: the first point of those that
   * begin with these bits, and so what a search looks through holds but one or two.
   */
  private readonly firsts: Uint32Array
  private readonly shift: number

  constructor(members: Iterable<Member>) {
    this.members = [...members].sort((a, b) => (a.id < b.id ? -1 : 1))
    const counts = pointCounts(this.members)
    const size = counts.reduce((sum, count) => sum + count, 0)
    const bits = Math.max(1, Math.ceil(Math.log2(size + 1)))
    this.hashes = new Uint32Array(size)
    this.owners = new Uint32Array(size)
    this.firsts = new Uint32Array(2 ** bits + 1)
    this.shift = 32 - bits
    this.fill(counts)
  }

  get points(): number {
    return this.hashes.length
  }

  /** Who owns a key, by its hash from 0 up to 2^32 - 1; null when the ring has no members. */
  ownerOf(hash: number): Member | null {
    const { hashes } = this
    let at = this.firsts[hash >>> this.shift] ?? 0
    while (at < hashes.length && (hashes[at] as number) < hash) at++
    return this.members[this.owners[at === hashes.length ? 0 : at] ?? 0] ?? null
  }

  /** Sorts by first bits, by counting, and then each few by the rest. Every index is within its array. */
  private fill(counts: readonly number[]): void {
    const { hashes, owners, firsts, shift } = this
    const unsorted = new Uint32Array(hashes.length)
    let filled = 0
    for (const [place, { id }] of this.members.entries()) {
      const pointOf = pointsOf(id)
      for (let index = 0; index < (counts[place] as number); index++) {
        const hash = pointOf(index)
        unsorted[filled++] = hash
        const next = (hash >>> shift) + 1
        firsts[next] = (firsts[next] as number) + 1
      }
    }
    for (let at = 1; at < firsts.length; at++)
      firsts[at] = (firsts[at] as number) + (firsts[at - 1] as number)
    const free = firsts.slice()
    let read = 0
    for (const [place] of this.members.entries()) {
      for (let index = 0; index < (counts[place] as number); index++) {
        const hash = unsorted[read++] as number
        const first = hash >>> shift
        let at = free[first] as number
        free[first] = at + 1
        // Members come in order, so that of equal points the first member's stays first.
        for (; at > (firsts[first] as number) && (hashes[at - 1] as number) > hash; at--) {
          hashes[at] = hashes[at - 1] as number
          owners[at] = owners[at - 1] as number
        }
        hashes[at] = hash
        owners[at] = place
      }
    }
  }
}

function pointCounts(members: readonly RingMember[]): number[] {
  const perWeight = pointsPerWeight(members.map(({ weight }) => weight))
  // The fraction that belongs to the id: no two members lose a point at the same moment.
  return members.map(({ id, weight }) => Math.max(1, Math.floor(weight * perWeight + fractionOf(id))))
}

function pointsPerWeight(weights: readonly number[]): number {
  const sorted = Float64Array.from(weights).sort()
  const median = sorted[(sorted.length - 1) >> 1] ?? 1
  const total = sorted.reduce((sum, weight) => sum + weight, 0)
  // The exponent by its binary digits: logarithms of exact powers may come out a little less.
  const exponent = Math.floor((32 - 1 - Math.clz32(median)) / 4)
  return Math.min(POINTS_OF_THE_MEDIAN / 16 ** exponent, MOST_POINTS / total)
}
