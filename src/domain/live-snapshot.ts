import type { Reset, Update } from './discovery.js'
import type { Endpoint, Revision } from './endpoint.js'
import { ShareTotals } from './shares.js'
import { applyChange, endpointsOf, groupByKey, type Snapshot } from './snapshot.js'

/**
 * A snapshot that changes in place, with running totals of each service: the cost of a change does not depend on the
 * number of endpoints. Holders of a reference see it change.
 */
export class LiveSnapshot implements Snapshot {
  revision: Revision = 0
  byKey = new Map<string, readonly Endpoint[]>()
  private readonly totals = new Map<string, ShareTotals>()
  private origin: Pick<Reset, 'source' | 'ageMs'> | null = null

  /** Whether no list has been received yet. */
  get isEmpty(): boolean {
    return this.origin === null
  }

  apply(update: Update): void {
    if (update.type === 'stale') return
    this.revision = update.revision
    if (update.type === 'reset') {
      const { source, ageMs } = update
      this.origin = { source, ageMs }
      this.byKey = groupByKey(update.endpoints)
      this.totals.clear()
      for (const endpoint of update.endpoints) this.totalsOf(endpoint).add(endpoint)
      return
    }
    this.origin = FROM_ETCD
    for (const change of update.changes) {
      for (const endpoint of this.byKey.get(change.key) ?? []) this.leave(endpoint)
      applyChange(this.byKey, change)
      if (change.type === 'put')
        for (const endpoint of change.endpoints) this.totalsOf(endpoint).add(endpoint)
    }
  }

  /** The endpoint's part of its service's traffic, from 0 to 1. Only for endpoints of this snapshot. */
  shareOf(endpoint: Endpoint): number {
    return this.totals.get(endpoint.service)?.shareOf(endpoint) ?? 0
  }

  /** The whole list as an update, O(n); null before the first. */
  reset(): Reset | null {
    const { origin, revision } = this
    return origin && { type: 'reset', revision, ...origin, endpoints: endpointsOf(this) }
  }

  private leave(endpoint: Endpoint): void {
    const totals = this.totals.get(endpoint.service)
    totals?.remove(endpoint)
    if (totals?.size === 0) this.totals.delete(endpoint.service)
  }

  private totalsOf({ service }: Endpoint): ShareTotals {
    const known = this.totals.get(service)
    if (known) return known
    const totals = new ShareTotals()
    this.totals.set(service, totals)
    return totals
  }
}

const FROM_ETCD = { source: 'etcd', ageMs: 0 } as const
