import { fractionOf, hash32, pointsOf } from './hash.js'

/** An endpoint of middling weight has from this many points to twice as many: shares within some 6 %. */
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
 * A member's points do not depend on the others but for the scale: points per weight come from the median
 * weight, rounded down to a power of two, so that who joins or leaves almost never changes it; then keys move
 * to the newcomer or from the leaver only. It does change when the median crosses a power of two, and, beyond
 * `MOST_POINTS`, a little with every change.
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

  /** Null when the ring has no members. */
  ownerOf(key: string): Member | null {
    const hash = hash32(key)
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
  return Math.min(POINTS_OF_THE_MEDIAN / 2 ** Math.floor(Math.log2(median)), MOST_POINTS / total)
}
