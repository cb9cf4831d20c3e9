import { Scope } from './scope.js'
import { Shares } from './shares.js'

/** Observed and expected picks of one endpoint. */
export interface SharePart {
  picks: number
  expected: number
}

/** The number of all picks, and the picks of each followed endpoint by id. */
export interface PickCounts {
  picks: number
  readonly byId: Map<string, SharePart>
}

/** Maximum number of endpoints whose picks are reported by id. The picks of the others are the rest of all picks. */
const MAX_FOLLOWED = 100

/**
 * Observed and expected picks of intervals. Expected picks are counted as in `ShareLedger`: the sum, over the picks of
 * an interval, of the endpoint's share at that pick.
 */
export class ShareSeries {
  private readonly shares = new Shares()
  private scope = new Scope(this.shares)
  private readonly followed = new Set<string>()

  /** Applies changes. @param changes new weights by id; 0 for an endpoint that is no longer in rotation */
  change(changes: ReadonlyMap<string, number>): void {
    this.follow(changes)
    for (const id of changes.keys()) if (this.followed.has(id)) this.scope.settle(id)
    this.shares.change(changes)
    // A scope without picks begins again, with the new shares.
    if (this.scope.picks === 0) this.scope = new Scope(this.shares)
  }

  pick(id: string): void {
    this.shares.pick(1)
    this.scope.pick(id, 1)
  }

  /** The picks since the last call. O(endpoints followed). */
  take(): PickCounts {
    const byId = new Map<string, SharePart>()
    const { scope } = this
    if (scope.picks > 0) {
      for (const id of this.followed) {
        const { picks, expected } = scope.tally(id)
        if (picks > 0 || expected > 0) byId.set(id, { picks, expected })
      }
    }
    this.scope = new Scope(this.shares)
    return { picks: scope.picks, byId }
  }

  /** Follows endpoints that joined, the heaviest first, up to the maximum. */
  private follow(changes: ReadonlyMap<string, number>): void {
    if (this.followed.size >= MAX_FOLLOWED) return
    const newcomers = [...changes].filter(([id, weight]) => weight > 0 && !this.followed.has(id))
    newcomers.sort(([, one], [, other]) => other - one)
    for (const [id] of newcomers.slice(0, MAX_FOLLOWED - this.followed.size)) this.followed.add(id)
  }
}

/** Adds `more` to `sum`. */
export function addShares(sum: PickCounts, more: PickCounts): void {
  sum.picks += more.picks
  for (const [id, { picks, expected }] of more.byId) {
    const own = sum.byId.get(id)
    if (own) {
      own.picks += picks
      own.expected += expected
    } else sum.byId.set(id, { picks, expected })
  }
}
