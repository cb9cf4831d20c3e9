import type { Revision } from '../domain/endpoint.js'
import type { EtcdClient } from './client.js'
import { type KeyFilter, listMatching } from './filtered-list.js'
import type { KeyRange } from './key-range.js'
import type { Listing } from './range.js'

export interface WatchOptions {
  /** How often the range is listed anew, whatever the watch says; jittered by a tenth. */
  readonly resyncPeriodMs: number
  readonly random: () => number
  /** Which keys of the range matter: the others are neither fetched nor told. Null for all. */
  readonly filter: KeyFilter | null
}

/**
 * A list made beside a running watch. It is held against what the watch told once that has come to the
 * list's revision: any difference is something that the watch never told.
 */
export class ResyncCheck {
  private dueAtMs: number
  private listing: Listing | null = null
  private quietAnswers = 0

  constructor(
    private readonly client: EtcdClient,
    private readonly range: KeyRange,
    private readonly options: WatchOptions,
  ) {
    this.dueAtMs = this.nextMs()
  }

  /** Lists when it is time to: a watch hears something every few seconds, so there is no timer. */
  async listInTime(): Promise<void> {
    if (this.listing !== null || performance.now() < this.dueAtMs) return
    this.listing = await listMatching(this.client, this.range, this.options.filter)
    this.quietAnswers = 0
    this.dueAtMs = this.nextMs()
  }

  /**
   * Whether a watch that has nothing to tell has come to the list. Its first answer is no proof: etcd names the
   * current revision, also while older events are still on their way (etcd-io/etcd#15220).
   */
  isDueInQuiet(revision: Revision): boolean {
    if (!this.isDueAt(revision)) return false
    this.quietAnswers++
    return this.quietAnswers > 1
  }

  /** Whether a watch that has told everything up to this revision has come to the list. */
  isDueAt(revision: Revision): boolean {
    return this.listing !== null && revision >= this.listing.revision
  }

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
