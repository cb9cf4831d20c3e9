import type { KeyRange } from '../sorted-keys.js'
import { Writer } from '../wire/writer.js'
import type { EncodedEvents, EventView } from './event-batch.js'

/** The destination of a watcher's responses: its stream. */
export interface Sink {
  /** Whether too many bytes are unsent: further events should then be read from the log later. */
  readonly congested: boolean
  /** Sends one whole response. */
  control(frame: Buffer): void
  /**
   * Sends events to one watcher. If they exceed the size of a message and the watcher has requested fragments, they are
   * sent in several responses.
   */
  events(watcher: Watcher, revision: number, events: EncodedEvents): void
}

/** A watch of a range from a revision on. Its responses are sent on one stream. */
export class Watcher {
  /** The id encoded as field 2 of WatchResponse. */
  readonly idField: Buffer
  /** The first revision not yet delivered; it may lie in the future. */
  nextRevision: number
  /** Whether the watcher must catch up from the log before it receives new events. */
  behind = false
  /** Whether nothing was sent since the last progress notification was due. */
  quiet = true
  /** Whether the next revision to deliver was compacted: the watcher receives no more events. */
  compacted = false

  constructor(
    readonly id: bigint,
    readonly range: KeyRange,
    readonly view: EventView,
    readonly fragment: boolean,
    readonly progressNotify: boolean,
    readonly sink: Sink,
    /** The requested start revision; 0 for the next revision. */
    private readonly startRevision: number,
    currentRevision: number,
  ) {
    this.idField = new Writer().bigint(2, id).body()
    this.nextRevision = startRevision === 0 ? currentRevision + 1 : startRevision
  }

  /**
   * Whether all revisions up to the current one have been delivered. A watcher with a future start is not synced
   * (etcd 3.5).
   */
  isSyncedAt(currentRevision: number): boolean {
    return !this.behind && !this.compacted && this.startRevision <= currentRevision
  }
}
