import type { IWatchResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import type { DiscoError } from '../domain/errors.js'
import { keyText } from '../domain/key-text.js'
import type { KeyFilter } from '../domain/layouts/reader.js'
import { Backoff, DENIAL_BACKOFF } from '../net/backoff.js'
import type { EtcdClient } from './client.js'
import { SilentWatch } from './heartbeat.js'
import type { KeyRange } from './key-range.js'
import { type Listing, list } from './list.js'
import type { KeyValue } from './pairs.js'
import { isOutOfHistory, readKeyValue } from './range.js'
import { ResyncCheck, type WatchOptions } from './resync-check.js'
import type { Seat } from './shared-streams.js'
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
      /** Revisions of the whole cluster that a new list skipped; null where the watch resumed without one. */
      readonly missedRevisions: number | null
      /** The difference from what was delivered before; may be empty. */
      readonly events: readonly KeyEvent[]
    }
  | { readonly type: 'stale'; readonly cause: DiscoError }

/** Values of etcd's SortOrder and SortTarget. */
const DESCEND = 2
const BY_MOD_REVISION = 3

const DEFAULT_OPTIONS: WatchOptions = {
  resyncPeriodMs: 300_000,
  random: Math.random,
  filter: null,
  streams: null,
}

/**
 * Lists at revision R, watches from R on, and continues until the signal aborts. After a cut connection it resumes at
 * the last delivered revision. If that is compacted, or the cluster was replaced or restored, and every few minutes
 * in any case, it lists again and delivers the difference. Each revision is delivered once, as one unit.
 *
 * An outage is reported once, as Stale; a broken stream that the next attempt replaces is not reported. A denial
 * after the first list is also reported once as Stale, and retried after 5 s, doubling to 60 s: a password, a
 * certificate or a role is being changed.
 *
 * @throws DiscoError that no retry can mend: ETCD_DENIED before the first list, or a bug
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
    using seat = this.options.streams?.join(this.range) ?? null
    while (!this.signal.aborted) {
      try {
        if (!(await this.canResume()))
          yield this.take(await list(this.client, this.range, this.options.filter))
        yield* this.follow(seat)
      } catch (thrown) {
        if (this.signal.aborted) return
        const cause = this.client.translate(thrown)
        if (cause.code === 'ETCD_DENIED' && this.delivered.revision > 0) {
          if (this.state !== 'denied') yield { type: 'stale', cause }
          this.state = 'denied'
          await this.denials.wait(this.signal)
          continue
        }
        if (cause.code !== 'ETCD_UNREACHABLE') throw cause
        const isBlip = this.state === 'live' && !(cause instanceof SilentWatch)
        if (!isBlip && !this.isStale) yield { type: 'stale', cause }
        if (!this.isStale) this.state = isBlip ? 'broken' : 'stale'
      }
      await this.backoff.wait(this.signal)
    }
  }

  /** Whether Stale was reported, but not yet the end of the outage. */
  private get isStale(): boolean {
    return this.state === 'stale' || this.state === 'denied'
  }

  /**
   * Whether the watch can resume without a list. A unary request renews an expired token, which a watch cannot. It reads
   * at the last delivered revision: where that is compacted, the next one may be as well.
   */
  private async canResume(): Promise<boolean> {
    const { isInvalid, revision } = this.delivered
    if (isInvalid) return false
    try {
      // The state of the whole range at that revision: a restored cluster may have reached it by other writes.
      const newest = { limit: 1, sort_order: DESCEND, sort_target: BY_MOD_REVISION }
      const { header, pairs, count } = await this.client.range({ ...this.range, ...newest, revision })
      const kv = pairs.length > 0 ? pairs.at(0) : null
      return this.delivered.canResumeAt(header) && this.holds(kv, count)
    } catch (error) {
      if (isOutOfHistory(error)) return false
      throw error
    }
  }

  /** Whether the newest value of the range, and the number of its keys, equal the delivered ones. */
  private holds(newest: KeyValue | null, count: number): boolean {
    const { filter } = this.options
    // A key that the filter rejects was never delivered, so it proves nothing: after an outage only a list does.
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

  /** Ends without an error when etcd cancels the watch: its next events are lost, for example compacted. */
  private async *follow(seat: Seat | null): AsyncGenerator<RangeUpdate, void, void> {
    const check = new ResyncCheck(this.client, this.range, this.options)
    try {
      // From the last delivered revision, not the next: if that was compacted meanwhile, etcd would accept the watch
      // and silently omit the deletions at it. The repeated revision is delivered once.
      const { revision: from } = this.delivered
      const responses =
        seat?.responses(from, this.signal) ?? watchStream(this.client, this.range, from, this.signal)
      for await (const response of responses) {
        if (response.canceled) return this.delivered.invalidate()
        if (response.created) yield* this.resumed()
        for (const { revision, events } of byRevision(response, this.options.filter)) {
          if (check.isDueAt(revision - 1)) yield* this.resync(check)
          if (this.delivered.advance(revision, events)) yield { type: 'changes', revision, events }
        }
        const isQuiet = response.events.length === 0
        if (isQuiet && check.isDueInQuiet(Number(response.header.revision))) yield* this.resync(check)
        // Rejected keys advance the revision too: a resumed watch need not read them again.
        this.delivered.advance(Number(response.events.at(-1)?.kv.mod_revision ?? 0), [])
        await check.listInTime()
      }
    } catch (thrown) {
      const cause = this.client.translate(thrown)
      if (cause.code !== 'ETCD_DENIED') throw cause
      // A stream cannot renew its token: it is a denial only if the list is denied as well.
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

type Unit = RangeUpdate & { readonly type: 'changes' }

function* byRevision(response: Pick<IWatchResponse, 'events'>, filter: KeyFilter | null): Generator<Unit> {
  let revision: Revision = 0
  let events: KeyEvent[] = []
  const flush = function* (): Generator<Unit> {
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
