/** What stands about one endpoint. */
export interface Tally {
  readonly picks: number
  /** The sum, over all picks, of the share that the endpoint then had. */
  readonly expected: number
  /** The same where all who were in rotation had an equal share. */
  readonly equal: number
}

export type Tallies = ReadonlyMap<string, Tally>

/** The largest |picks - expected| of any endpoint under one membership, in picks. */
export interface Gaps {
  readonly beforeLeaves: number
  /** Of memberships that stood after the first endpoint had left. */
  readonly afterLeaves: number
}

/** Enough to see a change ignored; the picks of more strata than these would be too thin to judge. */
const MOST_STRATA = 8

/**
 * Holds picks against the shares that stood when they were made. An epoch is the time between two changes of
 * the rotation; picks x share is summed epoch by epoch. A gap is |picks - expected|, looked at whenever an
 * epoch ends; it grows through weight changes, and a change of membership starts it anew.
 *
 * Epochs are kept apart as strata. When there are too many, the two neighbours with the fewest picks become
 * one, so that memory does not grow with the run.
 */
export class ShareLedger {
  private shares: ReadonlyMap<string, number> = new Map()
  private picksInEpoch = new Map<string, number>()
  private readonly all: Map<string, Tally>[] = []
  private stratum: Map<string, Tally> | null = null
  private membership = new Map<string, Tally>()
  private longest: Tallies = new Map()
  private gaps: Gaps = { beforeLeaves: 0, afterLeaves: 0 }
  private hasSeenLeave = false

  /** @param weights who is in rotation from now on, each with a weight > 0 */
  rotate(weights: ReadonlyMap<string, number>): void {
    this.gaps = this.largestGaps()
    const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0)
    const shares = new Map([...weights].map(([id, weight]) => [id, weight / total]))
    const hasLeaver = [...this.shares.keys()].some((id) => !shares.has(id))
    if (hasLeaver || shares.size !== this.shares.size) {
      this.longest = this.longestMembership()
      this.membership = new Map()
    }
    if (hasLeaver || [...shares].some(([id, share]) => this.shares.get(id) !== share)) this.stratum = null
    if (hasLeaver && this.all.length > 0) this.hasSeenLeave = true
    this.shares = shares
  }

  pick(id: string, times = 1): void {
    this.picksInEpoch.set(id, (this.picksInEpoch.get(id) ?? 0) + times)
  }

  /** Everyone who was picked or expected to be, since the beginning. */
  tallies(): Tallies {
    const sum = new Map<string, Tally>()
    for (const stratum of this.strata()) add(sum, stratum)
    return sum
  }

  /** Epochs in their order, neighbours perhaps together; each has a pick. */
  strata(): readonly Tallies[] {
    this.note()
    return this.all
  }

  /** Of the membership that had the most picks. */
  longestMembership(): Tallies {
    this.note()
    return picksOf(this.membership) > picksOf(this.longest) ? this.membership : this.longest
  }

  largestGaps(): Gaps {
    this.note()
    const { beforeLeaves, afterLeaves } = this.gaps
    const gap = largestGap(this.membership)
    return this.hasSeenLeave
      ? { beforeLeaves, afterLeaves: Math.max(gap, afterLeaves) }
      : { beforeLeaves: Math.max(gap, beforeLeaves), afterLeaves }
  }

  /** Writes down what was picked since this was last done. */
  private note(): void {
    const made = [...this.picksInEpoch.values()].reduce((sum, picks) => sum + picks, 0)
    if (made === 0) return
    const news = new Map<string, Tally>()
    for (const id of new Set([...this.shares.keys(), ...this.picksInEpoch.keys()])) {
      const share = this.shares.get(id)
      news.set(id, {
        picks: this.picksInEpoch.get(id) ?? 0,
        expected: made * (share ?? 0),
        equal: share === undefined ? 0 : made / this.shares.size,
      })
    }
    this.picksInEpoch = new Map()
    add(this.membership, news)
    add(this.openStratum(), news)
  }

  private openStratum(): Map<string, Tally> {
    if (this.stratum === null) {
      if (this.all.length === MOST_STRATA) joinThinnest(this.all)
      this.stratum = new Map()
      this.all.push(this.stratum)
    }
    return this.stratum
  }
}

export function picksOf(tallies: Tallies): number {
  return [...tallies.values()].reduce((sum, { picks }) => sum + picks, 0)
}

function largestGap(tallies: Tallies): number {
  return Math.max(0, ...[...tallies.values()].map(({ picks, expected }) => Math.abs(picks - expected)))
}

function joinThinnest(strata: Map<string, Tally>[]): void {
  const picks = strata.map(picksOf)
  const pairs = picks.slice(1).map((after, at) => after + (picks[at] ?? 0))
  const at = pairs.indexOf(Math.min(...pairs))
  const [joined, after] = strata.slice(at, at + 2)
  if (!joined || !after) return
  add(joined, after)
  strata.splice(at + 1, 1)
}

function add(sum: Map<string, Tally>, more: Tallies): void {
  for (const [id, { picks, expected, equal }] of more) {
    const own = sum.get(id) ?? { picks: 0, expected: 0, equal: 0 }
    sum.set(id, {
      picks: own.picks + picks,
      expected: own.expected + expected,
      equal: own.equal + equal,
    })
  }
}
