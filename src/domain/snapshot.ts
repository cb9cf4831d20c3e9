import type { Change, Update } from './discovery.js'
import type { Endpoint, Revision } from './endpoint.js'

/** The endpoints under a prefix at one revision, by etcd key. Immutable: `apply` returns a new one. */
export interface Snapshot {
  readonly revision: Revision
  readonly byKey: ReadonlyMap<string, readonly Endpoint[]>
}

export const EMPTY_SNAPSHOT: Snapshot = { revision: 0, byKey: new Map() }

/** Applies updates in order. The map is copied at most once, whatever the number of updates. */
export function apply(snapshot: Snapshot, ...updates: readonly Update[]): Snapshot {
  let { revision } = snapshot
  let byKey: Map<string, readonly Endpoint[]> | null = null
  for (const update of updates) {
    if (update.type === 'stale') continue
    revision = update.revision
    if (update.type === 'reset') byKey = groupByKey(update.endpoints)
    else if (update.changes.length > 0) {
      byKey ??= new Map(snapshot.byKey)
      for (const change of update.changes) applyChange(byKey, change)
    }
  }
  if (byKey === null && revision === snapshot.revision) return snapshot
  return { revision, byKey: byKey ?? snapshot.byKey }
}

export function endpointsOf(snapshot: Pick<Snapshot, 'byKey'>): Endpoint[] {
  const endpoints: Endpoint[] = []
  // Called for each change; a loop is ten times as fast as flat().
  for (const siblings of snapshot.byKey.values()) for (const endpoint of siblings) endpoints.push(endpoint)
  return endpoints
}

/** Changes a map of endpoints by etcd key in place. */
export function applyChange(byKey: Map<string, readonly Endpoint[]>, change: Change): void {
  if (change.type === 'delete') byKey.delete(change.key)
  else byKey.set(change.key, change.endpoints)
}

/** The endpoints of each etcd key, in the given order. */
export function groupByKey(endpoints: readonly Endpoint[]): Map<string, readonly Endpoint[]> {
  const byKey = new Map<string, Endpoint[]>()
  for (const endpoint of endpoints) {
    const siblings = byKey.get(endpoint.key)
    if (siblings) siblings.push(endpoint)
    else byKey.set(endpoint.key, [endpoint])
  }
  return byKey
}
