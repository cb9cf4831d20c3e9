import type { Revision } from '../domain/endpoint.js'
import type { Listing } from './list.js'
import type { KeyValue } from './pairs.js'
import type { AnswerHeader } from './range-answer.js'

export type KeyEvent =
  | { readonly type: 'put'; readonly kv: KeyValue }
  | { readonly type: 'delete'; readonly key: string }

/** Local mirror of a watched range: last delivered revision, its cluster, and the key-values delivered so far. */
export class WatchState {
  private readonly kvs = new Map<string, KeyValue>()
  private clusterId = ''
  private raftTerm = 0
  private lastRevision: Revision = 0
  private invalid = true

  /** The last delivered revision; 0 before the first list. */
  get revision(): Revision {
    return this.lastRevision
  }

  /** Whether the watch can continue only with a new list: before the first list, or after events were lost. */
  get isInvalid(): boolean {
    return this.invalid
  }

  invalidate(): void {
    this.invalid = true
  }

  /**
   * Whether a watch may resume after the last delivered revision: in the same cluster, and not in an older state of
   * it. A cluster restored from a snapshot may keep its id, but its raft terms start anew.
   */
  canResumeAt(header: AnswerHeader): boolean {
    const isSame = header.clusterId === this.clusterId && header.raftTerm >= this.raftTerm
    return isSame && header.revision >= this.lastRevision
  }

  /** Number of keys. */
  get size(): number {
    return this.kvs.size
  }

  /** Whether a key-value is in the mirror and has its highest mod revision. @param kv null for an empty range */
  isNewest(kv: KeyValue | null): boolean {
    if (kv === null) return this.kvs.size === 0
    for (const { modRevision } of this.kvs.values()) if (modRevision > kv.modRevision) return false
    return isSame(kv, this.kvs.get(kv.key))
  }

  /** Applies the events of a revision. @returns false when that revision was delivered before */
  advance(revision: Revision, events: readonly KeyEvent[]): boolean {
    if (revision <= this.lastRevision) return false
    this.lastRevision = revision
    for (const event of events) {
      if (event.type === 'put') this.kvs.set(event.kv.key, event.kv)
      else this.kvs.delete(event.key)
    }
    return true
  }

  /** Replaces the mirror by a list. @returns the difference as events: deletes, then puts by revision */
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

/** Compares values too: another cluster may have used the same revisions for other values. */
function isSame(kv: KeyValue, known: KeyValue | undefined): boolean {
  return (
    known !== undefined &&
    kv.modRevision === known.modRevision &&
    kv.createRevision === known.createRevision &&
    kv.lease === known.lease &&
    kv.value.equals(known.value)
  )
}
