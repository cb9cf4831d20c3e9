import type { IResponseHeader } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import type { KeyValue, Listing } from './range.js'

export type KeyEvent =
  | { readonly type: 'put'; readonly kv: KeyValue }
  | { readonly type: 'delete'; readonly key: string }

/** Where a watch stands in which cluster's history, and what it has told by then. */
export class WatchState {
  private readonly kvs = new Map<string, KeyValue>()
  private clusterId = ''
  private raftTerm = 0
  private lastRevision: Revision = 0
  private invalid = true

  /** The last revision told; 0 before the first list. */
  get revision(): Revision {
    return this.lastRevision
  }

  /** Nothing was listed yet, or what happened since can no longer be told event by event. */
  get isInvalid(): boolean {
    return this.invalid
  }

  invalidate(): void {
    this.invalid = true
  }

  /**
   * Whether a watch may go on behind the last revision told: in the same cluster, and not in an older state
   * of it. A cluster that was restored from a snapshot may keep its id, but starts its terms anew.
   */
  canResumeAt(header: IResponseHeader): boolean {
    const isSame = header.cluster_id === this.clusterId && Number(header.raft_term) >= this.raftTerm
    return isSame && Number(header.revision) >= this.lastRevision
  }

  /** How many keys there are. */
  get size(): number {
    return this.kvs.size
  }

  /** Whether a value is the one with the highest mod revision here; null for none at all. */
  isNewest(kv: KeyValue | null): boolean {
    if (kv === null) return this.kvs.size === 0
    for (const { modRevision } of this.kvs.values()) if (modRevision > kv.modRevision) return false
    return isSame(kv, this.kvs.get(kv.key))
  }

  /** Takes over a revision's events; false when they had been told before. */
  advance(revision: Revision, events: readonly KeyEvent[]): boolean {
    if (revision <= this.lastRevision) return false
    this.lastRevision = revision
    for (const event of events) {
      if (event.type === 'put') this.kvs.set(event.kv.key, event.kv)
      else this.kvs.delete(event.key)
    }
    return true
  }

  /** Makes the list what was told. @returns the events that lead there: deletes, then puts by revision */
  catchUp({ clusterId, raftTerm, revision, kvs }: Listing): KeyEvent[] {
    const gone = new Set(this.kvs.keys())
    const puts: KeyValue[] = []
    for (const kv of kvs) {
      gone.delete(kv.key)
      if (!isSame(kv, this.kvs.get(kv.key))) puts.push(kv)
    }
    const deletes = [...gone].map((key) => ({ type: 'delete', key }) as const)
    puts.sort((a, b) => a.modRevision - b.modRevision)
    for (const key of gone) this.kvs.delete(key)
    for (const kv of puts) this.kvs.set(kv.key, kv)
    this.clusterId = clusterId
    this.raftTerm = raftTerm
    this.lastRevision = revision
    this.invalid = false
    return [...deletes, ...puts.map((kv) => ({ type: 'put', kv }) as const)]
  }
}

/** Revisions alone do not tell: another cluster counts its own. */
function isSame(kv: KeyValue, told: KeyValue | undefined): boolean {
  return (
    told !== undefined &&
    kv.modRevision === told.modRevision &&
    kv.createRevision === told.createRevision &&
    kv.lease === told.lease &&
    kv.value.equals(told.value)
  )
}
