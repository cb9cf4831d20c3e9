/** Marks the end of a list and an empty bucket. Points have smaller indexes. */
const NONE = 2 ** 32 - 1

/** The initial number of buckets is 2^FIRST_BITS. */
const FIRST_BITS = 8

/**
 * A point is four consecutive numbers: place, owner, next point, unused. They are adjacent because memory is read by
 * cache line.
 */
const STRIDE = 4
const OWNER = 1
const NEXT = 2

/**
 * A circle of 2^32 places, with points that each have an owner. Places are hashes and therefore evenly spread. A bucket
 * holds the points whose places have the same leading bits, as a linked list in a flat array. There are at least as
 * many buckets as points, so adding, removing and finding a point take O(1) on average.
 *
 * Owners are small whole numbers. Every index below is that of a bucket or of a point in use, hence `as number`.
 */
export class PointCircle {
  private bits = FIRST_BITS
  private heads = new Uint32Array(2 ** FIRST_BITS).fill(NONE)
  private points = new Uint32Array(2 ** FIRST_BITS * STRIDE)
  /** Points below this index are or were in use; `free` links the free ones. */
  private used = 0
  private free = NONE
  private count = 0

  /** @param isFirst whether the first of two owners wins a place at which both have a point */
  constructor(private readonly isFirst: (owner: number, other: number) => boolean) {}

  get size(): number {
    return this.count
  }

  add(place: number, owner: number): void {
    if (this.count === this.heads.length) this.split()
    const point = this.takePoint()
    this.points[point] = place
    this.points[point + OWNER] = owner
    this.link(point)
    this.count++
  }

  /** Removes a point. It must have been added. */
  remove(place: number, owner: number): void {
    const { heads, points } = this
    const bucket = this.bucketOf(place)
    let before = NONE
    let point = heads[bucket] as number
    while (points[point] !== place || points[point + OWNER] !== owner) {
      before = point
      point = points[point + NEXT] as number
    }
    if (before === NONE) heads[bucket] = points[point + NEXT] as number
    else points[before + NEXT] = points[point + NEXT] as number
    points[point + NEXT] = this.free
    this.free = point
    this.count--
  }

  /** The owner of the first point at or after this place, around the circle; null if there are no points. */
  ownerFrom(place: number): number | null {
    if (this.count === 0) return null
    const { heads, points } = this
    let bucket = this.bucketOf(place)
    let point = heads[bucket] as number
    while (point !== NONE && (points[point] as number) < place) point = points[point + NEXT] as number
    while (point === NONE) {
      bucket = (bucket + 1) % heads.length
      point = heads[bucket] as number
    }
    return points[point + OWNER] as number
  }

  private bucketOf(place: number): number {
    return place >>> (32 - this.bits)
  }

  /** Inserts a point into its bucket, in order. */
  private link(point: number): void {
    const { heads, points } = this
    const bucket = this.bucketOf(points[point] as number)
    let before = NONE
    let after = heads[bucket] as number
    while (after !== NONE && this.isBefore(after, point)) {
      before = after
      after = points[after + NEXT] as number
    }
    points[point + NEXT] = after
    if (before === NONE) heads[bucket] = point
    else points[before + NEXT] = point
  }

  private isBefore(point: number, other: number): boolean {
    const { points } = this
    const [place, otherPlace] = [points[point] as number, points[other] as number]
    if (place !== otherPlace) return place < otherPlace
    return this.isFirst(points[point + OWNER] as number, points[other + OWNER] as number)
  }

  private takePoint(): number {
    const { free } = this
    if (free === NONE) return STRIDE * this.used++
    this.free = this.points[free + NEXT] as number
    return free
  }

  /** Doubles the number of buckets and the capacity for points. Called when all points are in use. */
  private split(): void {
    this.bits++
    this.heads = new Uint32Array(2 ** this.bits).fill(NONE)
    const points = new Uint32Array(2 ** this.bits * STRIDE)
    points.set(this.points)
    this.points = points
    for (let index = 0; index < this.used; index++) this.link(STRIDE * index)
  }
}
