/** Maximum number of intervals, enough for a curve over the whole run: ten minutes are 300 intervals of two seconds. */
const MAX_INTERVALS = 320

/** An interval of a run. Times are measured from the start of the run. */
export interface Interval<Content> {
  readonly fromMs: number
  readonly toMs: number
  readonly content: Content
}

/** Creates and adds up the contents of intervals. */
export interface ContentType<Content> {
  create(): Content
  /** Adds `more` to `sum`. */
  add(sum: Content, more: Content): void
}

/**
 * Intervals of equal length over a run of unknown duration. Their length is 1 ms at first. When there are more than
 * 320, neighbors are joined, to a length of 2, 10, 20, 100 ms and so on.
 */
export class Intervals<Content> {
  private lengthMs = 1
  /** By index; undefined for an interval without content. */
  private contents: (Content | undefined)[] = []

  constructor(private readonly joining: ContentType<Content>) {}

  /**
   * The content of the interval that contains a time.
   *
   * @param atMs since the start of the run; negative times count as 0
   */
  at(atMs: number): Content {
    const timeMs = Math.max(0, atMs)
    while (timeMs / this.lengthMs >= MAX_INTERVALS) this.coarsen()
    const index = Math.floor(timeMs / this.lengthMs)
    let content = this.contents[index]
    if (content === undefined) {
      content = this.joining.create()
      this.contents[index] = content
    }
    return content
  }

  /**
   * The end of the interval that contains a time, in milliseconds since the start. It may move when intervals are
   * joined.
   */
  endOf(atMs: number): number {
    return (Math.floor(Math.max(0, atMs) / this.lengthMs) + 1) * this.lengthMs
  }

  /**
   * The intervals in order, joined further so that there are no more than `most`. Intervals without content are
   * included. If the run covers less than half of the last interval, that interval is joined to the previous one: its
   * rate would be chance.
   *
   * @param endMs the end of the run, since its start
   */
  list(endMs: number, most: number): Interval<Content>[] {
    const count = Math.max(1, this.contents.length, Math.ceil(endMs / this.lengthMs))
    const together = joinedBy(this.lengthMs, Math.ceil(count / Math.max(1, most)))
    const lengthMs = this.lengthMs * together
    const all = Math.ceil(count / together)
    const isStub = all > 1 && endMs - (all - 1) * lengthMs < lengthMs / 2
    const shown = isStub ? all - 1 : all
    return Array.from({ length: shown }, (_, at) => {
      const next = at === shown - 1 ? all : at + 1
      const members = this.contents.slice(at * together, next * together)
      return { fromMs: at * lengthMs, toMs: next * lengthMs, content: this.joined(members) }
    })
  }

  private coarsen(): void {
    const together = isPowerOfTen(this.lengthMs) ? 2 : 5
    const length = Math.ceil(this.contents.length / together)
    this.contents = Array.from({ length }, (_, at) => {
      const members = this.contents.slice(at * together, (at + 1) * together)
      return members.some((member) => member !== undefined) ? this.joined(members) : undefined
    })
    this.lengthMs *= together
  }

  private joined(members: readonly (Content | undefined)[]): Content {
    const sum = this.joining.create()
    for (const member of members) if (member !== undefined) this.joining.add(sum, member)
    return sum
  }
}

function isPowerOfTen(length: number): boolean {
  return /^10*$/.test(String(length))
}

/** The smallest number of neighbors, at least `least`, whose total length is round: 1, 2 or 5 times a power of ten. */
function joinedBy(lengthMs: number, least: number): number {
  for (let power = 1; ; power *= 10) {
    for (const digit of [1, 2, 5]) {
      const together = (digit * power) / lengthMs
      if (together >= least && Number.isInteger(together)) return together
    }
  }
}
