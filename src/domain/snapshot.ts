import type { Change, Update } from './discovery.js'
import type { Endpoint, Revision } from './endpoint.js'

/** The endpoints under a prefix at one revision, by etcd key. A value: `apply` makes a new one. */
export interface Snapshot {
  readonly revision: Revision
  readonly byKey: ReadonlyMap<string, readonly Endpoint[]>
}

export const EMPTY_SNAPSHOT: Snapshot = { revision: 0, byKey: new Map() }

export function apply(snapshot: Snapshot, update: Update): Snapshot {
  switch (update.type) {
    case 'stale':
    case 'live':
      return snapshot
    case 'reset':
      return { revision: update.revision, byKey: groupByKey(update.endpoints) }
    case 'changes': {
      const byKey = new Map(snapshot.byKey)
      for (const change of update.changes) applyChange(byKey, change)
      return { revision: update.revision, byKey }
    }
  }
}

export function endpointsOf(snapshot: Snapshot): Endpoint[] {
  return [...snapshot.byKey.values()].flat()
}

function applyChange(byKey: Map<string, readonly Endpoint[]>, change: Change): void {
  if (change.type === 'delete') byKey.delete(change.key)
  else byKey.set(change.key, change.endpoints)
}

function groupByKey(endpoints: readonly Endpoint[]): Map<string, Endpoint[]> {
  const byKey = new Map<string, Endpoint[]>()
  for (const endpoint of endpoints) {
    const siblings = byKey.get(endpoint.key)
    if (siblings) siblings.push(endpoint)
    else byKey.set(endpoint.key, [endpoint])
  }
  return byKey
}
