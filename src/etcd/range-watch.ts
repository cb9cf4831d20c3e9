import type { IWatchResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import type { DiscoError } from '../domain/errors.js'
import { keyText } from '../domain/key-text.js'
import type { KeyFilter } from '../domain/layouts/reader.js'
import { Backoff, DENIAL_BACKOFF } from '../net/backoff.js'
import type { EtcdClient } from './client.js'
import { NEWEST } from './history-end.js'
import type { KeyRange } from './key-range.js'
import { type Listing, list } from './list.js'
import type { KeyValue } from './pairs.js'
import { isOutOfHistory, readKeyValue } from './range.js'
import { ResyncCheck, type WatchOptions } from './resync-check.js'
import type { Subscriber } from './shared-streams.js'
import { SilentWatch } from './watch-liveness.js'
import { type KeyEvent, WatchState } from './watch-state.js'
import { watchStream } from './watch-stream.js'

export type { KeyEvent }

/** An update of a watched range. The first is a Reset or a Stale; after a Stale comes a Reset or a Resync. */
export type RangeUpdate =
  | { readonly type: 'reset'; readonly revision: Revision; readonly kvs: Listing['kvs'] }
  | {
      readonly type: 'changes'
      readonly revision: Revision
      readonly events: readonly [KeyEvent, ...KeyEvent[]]
    }
  | {
      readonly type: 'resync'
      readonly revision: Revision
      /**
       * Number of cluster revisions between the last delivered one and the new list; null if the watch resumed without
       * a list.
       */
      readonly missedRevisions: number | null
      /** The changes since the last delivered revision; may be empty. */
      readonly events: readonly KeyEvent[]
    }
  | { readonly type: 'stale'; readonly cause: DiscoError }

const DEFAULT_OPTIONS: WatchOptions = {
  resyncPeriodMs: 300_000,
  random: Math.random,
  filter: null,
  streams: null,
}

/**
 * Lists at revision R, watches from R on, and continues until the signal aborts. After a broken connection it resumes
 * at the last delivered revision. It lists again and delivers the difference if that revision is compacted, if the
 * cluster was replaced or restored, and every few minutes. All events of one revision are delivered once, in one
 * update.
 *
 * An outage is reported once, as Stale. A broken stream is not reported if the next attempt succeeds. A denial after
 * the first list is also reported once, as Stale, and retried after 5 s, doubling to 60 s, because a password, a
 * certificate or a role may be about to change.
 *
 * @throws DiscoError that is not retried: ETCD_DENIED before the first list, `since` compacted or in the future, or a
 * bug
 */
export function watchRange(
  client: EtcdClient,
  range: KeyRange,
  signal: AbortSignal,
  options: Partial<WatchOptions> = {},
): AsyncGenerator<RangeUpdate, void, void> {
  return new RangeWatch(client.under(signal), range, signal, { ...DEFAULT_OPTIONS, ...options }).run()
}

class RangeWatch {
  private readonly delivered = new WatchState()
  private readonly backoff: Backoff
  private readonly denials = new Backoff(DENIAL_BACKOFF)
  private state: 'empty' | 'live' | 'broken' | 'stale' | 'denied' = 'empty'

  constructor(
    private readonly client: EtcdClient,
    private readonly range: KeyRange,
    private readonly signal: AbortSignal,
    private readonly options: WatchOptions,
  ) {
    this.backoff = new Backoff({ random: options.random })
  }

  async *run(): AsyncGenerator<RangeUpdate, void, void> {
    using subscriber = this.options.streams?.join(this.range) ?? null
    while (!this.signal.aborted) {
      try {
        if (!(await this.canResume())) yield this.take(await this.list())
        yield* this.follow(subscriber)
      } catch (thrown) {
        if (this.signal.aborted) return
        const cause = this.client.translate(thrown)
        if (cause.code === 'ETCD_DENIED' && this.delivered.revision > 0) {
          if (this.state !== 'denied') yield { type: 'stale', cause }
          this.state = 'denied'
          await this.denials.wait(this.signal)
          continue
        }
        // The revision of the first list (`since`) is compacted or in the future: it is not retried.
        const isLost = this.delivered.revision === 0 && isOutOfHistory(cause)
        if (cause.code !== 'ETCD_UNREACHABLE' || isLost) throw cause
        const isFirstFailure = this.state === 'live' && !(cause instanceof SilentWatch)
        if (!isFirstFailure && !this.isStale) yield { type: 'stale', cause }
        if (!this.isStale) this.state = isFirstFailure ? 'broken' : 'stale'
      }
      await this.backoff.wait(this.signal)
    }
  }

  /** Lists the range: the first time at the revision `since`, otherwise at the newest one. */
  private async list(): Promise<Listing> {
    const { filter, since } = this.options
    const isPast = since !== undefined && this.delivered.revision === 0
    const range = isPast ? { ...this.range, revision: since } : this.range
    return await list(this.client, range, filter)
  }

  /** Whether Stale was the last update. */
  private get isStale(): boolean {
    return this.state === 'stale' || this.state === 'denied'
  }

  /**
   * Whether the watch can resume without a list. Uses a unary request, which renews an expired token; a watch cannot.
   * Reads at the last delivered revision: as long as it is not compacted, etcd has all later events.
   */
  private async canResume(): Promise<boolean> {
    const { isInvalid, revision } = this.delivered
    if (isInvalid) return false
    try {
      // Compares the newest key too: a restored cluster may have reached the same revision by other writes.
      const { header, pairs, count } = await this.client.range({ ...this.range, ...NEWEST, revision })
      const kv = pairs.length > 0 ? pairs.at(0) : null
      return this.delivered.canResumeAt(header) && this.matchesDelivered(kv, count)
    } catch (error) {
      if (isOutOfHistory(error)) return false
      throw error
    }
  }

  /** Whether the newest value of the range, and the number of its keys, equal the delivered ones. */
  private matchesDelivered(newest: KeyValue | null, count: number): boolean {
    const { filter } = this.options
    // A key that the filter rejects was never delivered, so it cannot be compared. It counts as equal after a broken
    // stream; after an outage (reported as Stale) it does not, and the range is listed again.
    if (filter && newest && !filter(newest.key)) return !this.isStale
    return this.delivered.isNewest(newest) && (filter !== null || this.delivered.size === count)
  }

  private take(listing: Listing): RangeUpdate {
    const isFirst = this.delivered.revision === 0
    const missedRevisions = Math.max(0, listing.revision - this.delivered.revision)
    const events = this.delivered.catchUp(listing)
    const { revision, kvs } = listing
    this.state = 'live'
    return isFirst ? { type: 'reset', revision, kvs } : { type: 'resync', revision, missedRevisions, events }
  }

  /**
   * Follows a watch. Returns when etcd cancels it, for example because the next events are compacted. `run` then lists
   * the range again.
   */
  private async *follow(subscriber: Subscriber | null): AsyncGenerator<RangeUpdate, void, void> {
    const check = new ResyncCheck(this.client, this.range, this.options)
    try {
      // Starts at the last delivered revision R, not at R + 1. If etcd has compacted at R + 1, it accepts a watch from
      // R + 1 but silently omits the deletions at R + 1; it cancels a watch from R. `advance` skips R.
      const { revision: from } = this.delivered
      const responses =
        subscriber?.responses(from, this.signal) ?? watchStream(this.client, this.range, from, this.signal)
      for await (const response of responses) {
        if (response.canceled) return this.delivered.invalidate()
        if (response.created) yield* this.resumed()
        for (const { revision, events } of byRevision(response, this.options.filter)) {
          if (check.isDueAt(revision - 1)) yield* this.resync(check)
          if (this.delivered.advance(revision, events)) yield { type: 'changes', revision, events }
        }
        const isIdle = response.events.length === 0
        if (isIdle && check.isDueWhileIdle(Number(response.header.revision))) yield* this.resync(check)
        // Rejected keys advance the revision too: a resumed watch need not read them again.
        this.delivered.advance(Number(response.events.at(-1)?.kv.mod_revision ?? 0), [])
        await check.listIfDue()
      }
    } catch (thrown) {
      const cause = this.client.translate(thrown)
      if (cause.code !== 'ETCD_DENIED') throw cause
      // The token may have expired, and a stream cannot renew it. The next list renews it, or is denied too.
      this.delivered.invalidate()
    }
  }

  private *resumed(): Generator<RangeUpdate> {
    this.backoff.reset()
    this.denials.reset()
    if (this.isStale) {
      yield { type: 'resync', revision: this.delivered.revision, missedRevisions: null, events: [] }
    }
    this.state = 'live'
  }

  private *resync(check: ResyncCheck): Generator<RangeUpdate> {
    const from = this.delivered.revision
    const listing = check.take()
    const events = this.delivered.catchUp(listing)
    const { revision } = listing
    if (events.length > 0) yield { type: 'resync', revision, missedRevisions: revision - from, events }
  }
}

type Changes = RangeUpdate & { readonly type: 'changes' }

/** Groups the matching events of a response by revision. */
function* byRevision(response: Pick<IWatchResponse, 'events'>, filter: KeyFilter | null): Generator<Changes> {
  let revision: Revision = 0
  let events: KeyEvent[] = []
  const flush = function* (): Generator<Changes> {
    const [first, ...rest] = events
    if (first) yield { type: 'changes', revision, events: [first, ...rest] }
    events = []
  }
  for (const event of response.events) {
    if (filter && !filter(keyText(event.kv.key))) continue
    const eventRevision = Number(event.kv.mod_revision)
    if (eventRevision !== revision) yield* flush()
    revision = eventRevision
    events.push(
      event.type === 'Delete'
        ? { type: 'delete', key: keyText(event.kv.key) }
        : { type: 'put', kv: readKeyValue(event.kv) },
    )
  }
  yield* flush()
}
