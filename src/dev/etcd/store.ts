import { refusals } from './errors.js'
import { EventLog } from './event-log.js'
import { KeyHistory } from './key-history.js'
import { type KeyRange, SortedKeys } from './sorted-keys.js'
import { deletion, putVersion, type Version } from './version.js'

/** Read access to the store: to its current state, or to the state within a transaction. */
export interface View {
  /** The revision at which reads without a revision are made. */
  readonly revision: number
  /** @throws RpcError for a compacted or future revision. A revision of 0 or less is the newest. */
  range(range: KeyRange, revision?: number): Version[]
}

export type CommitListener = (revision: number, changes: readonly Version[]) => void

/** etcd starts a new cluster at revision 1; the first put makes revision 2. */
const FIRST_REVISION = 1

/** Below all revisions: nothing has been compacted yet, not even revision 0. */
const NEVER_COMPACTED = -1

/**
 * A multi-version key-value store: every write makes a revision, and every revision can be read until it is compacted
 * (etcd API, "Logical view"). All operations are synchronous, so callers never see a partial write.
 */
export class Store implements View {
  private readonly histories = new Map<string, KeyHistory>()
  private readonly sorted = new SortedKeys<KeyHistory>()
  private readonly listeners: CommitListener[] = []
  private current = FIRST_REVISION
  private compacted = NEVER_COMPACTED
  readonly log = new EventLog()

  get revision(): number {
    return this.current
  }

  get compactRevision(): number {
    return this.compacted
  }

  /** The encoded size of all puts and deletions since the last compaction. */
  get sizeBytes(): number {
    return this.log.sizeBytes
  }

  /**
   * Adds a listener. Listeners are called after each revision, in the order in which they were added, with the changes
   * in order.
   */
  onCommit(listener: CommitListener): void {
    this.listeners.push(listener)
  }

  range(range: KeyRange, revision = 0): Version[] {
    return this.rangeAsOf(range, revision, this.current)
  }

  /** The pair of a key as of a revision; undefined if the key did not exist, or the revision is compacted. */
  get(key: string, revision = this.current): Version | undefined {
    return revision < this.compacted ? undefined : this.histories.get(key)?.at(revision)
  }

  /**
   * Runs one write. All its changes make one revision; without changes no revision is made. If `apply` throws, the
   * changes are undone.
   */
  write<Result>(apply: (txn: WriteTxn) => Result): Result {
    const txn = new WriteTxn(this)
    const result = this.allOrNothing(txn, apply)
    if (txn.changes.length > 0) {
      this.current += 1
      this.log.append(txn.changes)
      for (const listener of this.listeners) listener(this.current, txn.changes)
    }
    return result
  }

  /** @throws RpcError for a compacted or future revision */
  compact(revision: number): void {
    if (revision <= this.compacted) throw refusals.compacted()
    if (revision > this.current) throw refusals.futureRevision()
    this.compacted = revision
    this.log.compact(revision, (event) => this.histories.get(event.key)?.lastChangeAt(revision) === event)
    for (const history of this.sorted.all()) {
      if (!history.compact(revision)) this.forget(history)
    }
  }

  /** @internal for WriteTxn. @param newest the revision that counts as current */
  rangeAsOf(range: KeyRange, revision: number, newest: number): Version[] {
    if (revision > newest) throw refusals.futureRevision()
    const asOf = revision <= 0 ? newest : revision
    if (asOf < this.compacted) throw refusals.compacted()
    if (range.end === undefined) {
      const version = this.histories.get(range.key)?.at(asOf)
      return version ? [version] : []
    }
    const found: Version[] = []
    for (const history of this.sorted.between(range)) {
      const version = history.at(asOf)
      if (version) found.push(version)
    }
    return found
  }

  private allOrNothing<Result>(txn: WriteTxn, apply: (txn: WriteTxn) => Result): Result {
    try {
      return apply(txn)
    } catch (thrown) {
      for (const { key } of txn.changes.toReversed()) {
        const history = this.histories.get(key)
        if (history !== undefined && !history.removeLast()) this.forget(history)
      }
      throw thrown
    }
  }

  private forget(history: KeyHistory): void {
    this.histories.delete(history.key)
    this.sorted.remove(history.key)
  }

  /** @internal for WriteTxn. */
  add(version: Version): void {
    let history = this.histories.get(version.key)
    if (history === undefined) {
      history = new KeyHistory(version.key)
      this.histories.set(version.key, history)
      this.sorted.insert(history)
    }
    history.add(version)
  }
}

/** A write in progress. It sees its own changes, at the revision that they will make. */
export class WriteTxn implements View {
  readonly changes: Version[] = []
  private readonly next: number

  constructor(private readonly store: Store) {
    this.next = store.revision + 1
  }

  get revision(): number {
    return this.changes.length > 0 ? this.next : this.next - 1
  }

  range(range: KeyRange, revision = 0): Version[] {
    return this.store.rangeAsOf(range, revision, this.revision)
  }

  put(key: string, value: Buffer, lease: bigint): void {
    const before = this.store.get(key, this.next)
    const createRevision = before?.createRevision ?? this.next
    const version = (before?.version ?? 0) + 1
    this.add(putVersion({ key, createRevision, modRevision: this.next, version, lease }, value))
  }

  /** @returns the deleted pairs */
  delete(range: KeyRange): Version[] {
    const removed = this.range(range)
    for (const { key } of removed) this.add(deletion(key, this.next))
    return removed
  }

  private add(version: Version): void {
    this.store.add(version)
    this.changes.push(version)
  }
}
