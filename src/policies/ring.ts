import { fractionOf, pointsOf } from './hash.js'

/**
 * An endpoint of middling weight has from this many points to 16 times as many. A share strays by
 * sqrt(share x (1 - share) / all points), the deviation of as many random arcs: of ten equal endpoints' 10% by
 * less than 0.6.
 */
const POINTS_OF_THE_MEDIAN = 256

/** Where the points would be more, all get fewer, in proportion: building a ring blocks its client. */
const MOST_POINTS = 131_072

/** A point is one number: its hash, and below that the place of its owner. 32 + 21 bits fit a double. */
const PLACES = 2 ** 21

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
  private readonly hashes: Uint32Array
  private readonly owners: Uint32Array

  constructor(members: Iterable<Member>) {
    this.members = [...members].sort((a, b) => (a.id < b.id ? -1 : 1))
    const points = pointsByHash(this.members)
    this.hashes = new Uint32Array(points.length)
    this.owners = new Uint32Array(points.length)
    for (const [at, point] of points.entries()) {
      this.hashes[at] = Math.floor(point / PLACES)
      this.owners[at] = point % PLACES
    }
  }

  get points(): number {
    return this.hashes.length
  }

  /** Who owns a key, by its hash from 0 up to 2^32 - 1; null when the ring has no members. */
  ownerOf(hash: number): Member | null {
    const { hashes } = this
    let [from, to] = [0, hashes.length]
    while (from < to) {
      const middle = (from + to) >>> 1
      if ((hashes[middle] ?? 0) < hash) from = middle + 1
      else to = middle
    }
    return this.members[this.owners[from === hashes.length ? 0 : from] ?? 0] ?? null
  }
}

function pointsByHash(members: readonly RingMember[]): Float64Array {
  const perWeight = pointsPerWeight(members.map(({ weight }) => weight))
  const counts = members.map(({ id, weight }) =>
    // The fraction that belongs to the id: no two members lose a point at the same moment.
    Math.max(1, Math.floor(weight * perWeight + fractionOf(id))),
  )
  const points = new Float64Array(counts.reduce((sum, count) => sum + count, 0))
  let filled = 0
  for (const [place, { id }] of members.entries()) {
    const pointOf = pointsOf(id)
    for (let index = 0; index < (counts[place] ?? 0); index++)
      points[filled++] = pointOf(index) * PLACES + place
  }
  return points.sort()
}

function pointsPerWeight(weights: readonly number[]): number {
  const sorted = Float64Array.from(weights).sort()
  const median = sorted[(sorted.length - 1) >> 1] ?? 1
  const total = sorted.reduce((sum, weight) => sum + weight, 0)
  // The exponent by its binary digits: logarithms of exact powers may come out a little less.
  const exponent = Math.floor((32 - 1 - Math.clz32(median)) / 4)
  return Math.min(POINTS_OF_THE_MEDIAN / 16 ** exponent, MOST_POINTS / total)
}
