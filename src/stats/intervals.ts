/** Enough for a curve over the whole run: ten minutes are 300 intervals of two seconds. */
const MAX_INTERVALS = 320

/** An interval of a run, since its start. */
export interface Interval<Content> {
  readonly fromMs: number
  readonly toMs: number
  readonly content: Content
}

/** How the contents of two neighbours become one. */
export interface Joining<Content> {
  create(): Content
  /** Adds `more` to `sum`. */
  add(sum: Content, more: Content): void
}

/**
 * Equal intervals over a run of unknown length. They begin with a millisecond; when there are too many, neighbours are
 * joined, to 2, 10, 20, 100 ms and so on. So there are at most 320, whatever the length of the run.
 */
export class Intervals<Content> {
  private lengthMs = 1
  /** By index; undefined where nothing happened. */
  private contents: (Content | undefined)[] = []

  constructor(private readonly joining: Joining<Content>) {}

  /** The content of the interval with this time. @param atMs since the start of the run; earlier times count as 0 */
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

  /** The end of the interval with this time. The interval may become longer. */
  endOf(atMs: number): number {
    return (Math.floor(Math.max(0, atMs) / this.lengthMs) + 1) * this.lengthMs
  }

  /**
   * The intervals in order, joined further so that there are no more than `most`. Those where nothing happened are
   * included. A last one that the run hardly began belongs to the one before: its rate would be chance.
   *
   * @param endMs the end of the run
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

/** The least number of neighbours that together have a round length: 1, 2 or 5 times a power of ten. */
function joinedBy(lengthMs: number, least: number): number {
  for (let power = 1; ; power *= 10) {
    for (const digit of [1, 2, 5]) {
      const together = (digit * power) / lengthMs
      if (together >= least && Number.isInteger(together)) return together
    }
  }
}
