import type { Reset, Update } from './discovery.js'
import type { Endpoint, Revision } from './endpoint.js'
import { ShareTotals } from './shares.js'
import { applyChange, endpointsOf, groupByKey, type Snapshot } from './snapshot.js'

/**
 * A snapshot that changes in place, with running totals of each service. The cost of a change does not depend on the
 * number of endpoints.
 */
export class LiveSnapshot implements Snapshot {
  revision: Revision = 0
  byKey = new Map<string, readonly Endpoint[]>()
  private readonly totals = new Map<string, ShareTotals>()
  /** Source and age of the list; null until the first list. */
  private provenance: Pick<Reset, 'source' | 'ageMs'> | null = null

  /** Whether no list has been received yet. False after an empty list. */
  get hasNoList(): boolean {
    return this.provenance === null
  }

  apply(update: Update): void {
    if (update.type === 'stale') return
    this.revision = update.revision
    if (update.type === 'reset') {
      const { source, ageMs } = update
      this.provenance = { source, ageMs }
      this.byKey = groupByKey(update.endpoints)
      this.totals.clear()
      for (const endpoint of update.endpoints) this.totalsOf(endpoint).add(endpoint)
      return
    }
    this.provenance = FROM_ETCD
    for (const change of update.changes) {
      for (const endpoint of this.byKey.get(change.key) ?? []) this.removeFromTotals(endpoint)
      applyChange(this.byKey, change)
      if (change.type === 'put')
        for (const endpoint of change.endpoints) this.totalsOf(endpoint).add(endpoint)
    }
  }

  /** The endpoint's share of its service's traffic, from 0 to 1. Only for endpoints of this snapshot. */
  shareOf(endpoint: Endpoint): number {
    return this.totals.get(endpoint.service)?.shareOf(endpoint) ?? 0
  }

  /** The whole list as an update; null before the first list. Copies the list: O(n). */
  reset(): Reset | null {
    const { provenance, revision } = this
    return provenance && { type: 'reset', revision, ...provenance, endpoints: endpointsOf(this) }
  }

  private removeFromTotals(endpoint: Endpoint): void {
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
