import type { Revision } from '../domain/endpoint.js'
import type { KeyFilter } from '../domain/layouts/reader.js'
import type { EtcdClient } from './client.js'
import type { KeyRange } from './key-range.js'
import { type Listing, list } from './list.js'
import type { SharedStreams } from './shared-streams.js'

export interface WatchOptions {
  /** The revision of the first list; the changes since then follow it. Default: the newest revision. */
  readonly since?: Revision | undefined
  /** Period of the lists that check the watch, with a jitter of 10 %. */
  readonly resyncPeriodMs: number
  readonly random: () => number
  /** Selects keys of the range; others are neither fetched nor delivered. Null selects all. */
  readonly filter: KeyFilter | null
  /** Streams shared with other watches; null for a separate stream with backpressure. */
  readonly streams: SharedStreams | null
}

/**
 * Checks a running watch against a list. The caller compares both when the watch has reached the list's revision: a
 * difference is an event that the watch has lost.
 */
export class ResyncCheck {
  private dueAtMs: number
  private listing: Listing | null = null
  private idleResponses = 0

  constructor(
    private readonly client: EtcdClient,
    private readonly range: KeyRange,
    private readonly options: WatchOptions,
  ) {
    this.dueAtMs = this.nextMs()
  }

  /** Lists when the period is over. Called after each response, which comes every few seconds, so it needs no timer. */
  async listIfDue(): Promise<void> {
    if (this.listing !== null || performance.now() < this.dueAtMs) return
    this.listing = await list(this.client, this.range, this.options.filter)
    this.idleResponses = 0
    this.dueAtMs = this.nextMs()
  }

  /**
   * Whether a watch without events has reached the list's revision. Its first progress response does not prove it: etcd
   * may report the current revision before it has sent older events (etcd-io/etcd#15220).
   */
  isDueWhileIdle(revision: Revision): boolean {
    if (!this.isDueAt(revision)) return false
    this.idleResponses++
    return this.idleResponses > 1
  }

  /** Whether a watch that has delivered everything up to this revision has reached the list's revision. */
  isDueAt(revision: Revision): boolean {
    return this.listing !== null && revision >= this.listing.revision
  }

  /** Returns the list that is due, and removes it. */
  take(): Listing {
    const { listing } = this
    if (listing === null) throw new Error('nothing was listed yet')
    this.listing = null
    return listing
  }

  private nextMs(): number {
    return performance.now() + this.options.resyncPeriodMs * (0.9 + this.options.random() / 5)
  }
}
