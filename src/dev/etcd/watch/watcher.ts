import type { KeyRange } from '../key-range.js'
import { Writer } from '../wire/writer.js'
import type { EncodedEvents, Wishes } from './event-batch.js'

/** Where a watcher's responses go: its stream. */
export interface Sink {
  /** Whether events should wait in the log rather than here. */
  readonly congested: boolean
  /** Sends one whole response. */
  control(frame: Buffer): void
  /** Sends events to one watcher; in several responses when they are many and it asked for fragments. */
  events(watcher: Watcher, revision: number, events: EncodedEvents): void
}

/** One watcher: a range, from a revision on, on one stream. */
export class Watcher {
  /** Its id as field 2 of WatchResponse. */
  readonly idField: Buffer
  /** The first revision that it has not been given yet; it may lie in the future. */
  nextRevision: number
  /** Set while it is not given events as they happen: it must first catch up from the log. */
  behind = false
  /** Whether nothing was sent since the last progress notification was due. */
  quiet = true
  /** Set once compaction has taken what it was to be given next: it is given nothing more. */
  compacted = false

  constructor(
    readonly id: bigint,
    readonly range: KeyRange,
    readonly wishes: Wishes,
    readonly fragment: boolean,
    readonly progressNotify: boolean,
    readonly sink: Sink,
    /** As asked for: 0 is what comes next. */
    private readonly startRevision: number,
    currentRevision: number,
  ) {
    this.idField = new Writer().bigint(2, id).body()
    this.nextRevision = startRevision === 0 ? currentRevision + 1 : startRevision
  }

  /** Whether it has been given all up to the current revision. One that is to start later has not (etcd 3.5). */
  isSyncedAt(currentRevision: number): boolean {
    return !this.behind && !this.compacted && this.startRevision <= currentRevision
  }
}
