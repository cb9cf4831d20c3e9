import type { IWatchResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { keyText } from '../domain/key-text.js'
import type { KeyFilter } from '../domain/layouts/reader.js'
import { Backoff } from '../net/backoff.js'
import type { EtcdClient } from './client.js'
import { type HistoryEnd, historyEnd, ReplayEnd } from './history-end.js'
import type { KeyRange } from './key-range.js'
import type { KeyValue } from './pairs.js'
import { readKeyValue } from './range.js'
import { liveResponses } from './watch-liveness.js'

/** One change of a key in etcd's history, with the key-value that it replaced. */
export interface PastChange {
  readonly key: string
  readonly revision: Revision
  /** Null if the key did not exist. */
  readonly before: KeyValue | null
  /** Null for a deletion. */
  readonly after: KeyValue | null
}

/** A part of a replayed history. */
export type ReplayPart =
  /** Changes of matching keys, in order. `reached` is the revision of the last event, whether or not it matches. */
  | { readonly type: 'changes'; readonly changes: readonly PastChange[]; readonly reached: Revision }
  /** etcd has compacted up to this revision: changes that were not delivered before are lost. */
  | { readonly type: 'compacted'; readonly revision: Revision }

/** The changes to replay: those after one revision, up to and including another. */
export interface ReplaySpan {
  readonly after: Revision
  readonly end: Pick<HistoryEnd, 'revision' | 'lastPut'>
  /** Null for all keys of the range. */
  readonly filter: KeyFilter | null
}

/** Maximum number of reconnections in a row without a new event. Each waits up to 2 s. */
const MAX_FAILURES = 5

/** Maximum number of changes that are decoded at a time: a response may have 128 for each of its revisions. */
const PART_EVENTS = 1_000

/** Period of progress requests while the watch is quiet. */
const NUDGE_MS = 200

/**
 * Replays the history of a range by a watch from a past revision. Memory does not grow with the history: etcd sends at
 * most 1,000 revisions at a time, and flow control stops it while the caller is busy. After a broken connection it
 * resumes after the last delivered change.
 *
 * Ends without an error when the signal aborts.
 *
 * @throws DiscoError ETCD_UNREACHABLE after several failures in a row, ETCD_DENIED
 */
export function replay(
  client: EtcdClient,
  range: KeyRange,
  span: ReplaySpan,
  signal: AbortSignal,
): AsyncGenerator<ReplayPart, void, void> {
  return new Replay(client.under(signal), range, span, signal).run()
}

/**
 * The oldest revision that etcd can still read. It is found by a watch from revision 1: if etcd cancels it, the
 * response has the compacted revision.
 */
export async function oldestRevision(
  client: EtcdClient,
  range: KeyRange,
  signal: AbortSignal,
): Promise<Revision> {
  const end = await historyEnd(client, range)
  const none = () => false
  for await (const part of replay(client, range, { after: 0, end, filter: none }, signal)) {
    return part.type === 'compacted' ? part.revision : 1
  }
  return 1
}

class Replay {
  /** The revision of the last delivered event. */
  private reached: Revision
  /** Keys whose events at the revision `reached` were delivered: a connection may break within a revision. */
  private readonly delivered = new Set<string>()
  private isOver = false

  constructor(
    private readonly client: EtcdClient,
    private readonly range: KeyRange,
    private readonly span: ReplaySpan,
    private readonly signal: AbortSignal,
  ) {
    this.reached = span.after
  }

  async *run(): AsyncGenerator<ReplayPart, void, void> {
    const backoff = new Backoff()
    let failures = 0
    while (!this.isOver && !this.signal.aborted && this.reached < this.span.end.revision) {
      const from = this.reached
      try {
        // A unary request renews an expired token; a stream cannot.
        if (failures > 0) await this.client.range({ key: this.range.key, keys_only: true })
        yield* this.follow()
      } catch (thrown) {
        if (this.signal.aborted) return
        const cause = this.client.translate(thrown)
        failures = this.reached > from ? 1 : failures + 1
        const isFinal = cause.code !== 'ETCD_UNREACHABLE' && cause.code !== 'ETCD_DENIED'
        if (isFinal || failures > MAX_FAILURES || (cause.code === 'ETCD_DENIED' && failures > 1)) throw cause
        if (this.reached > from) backoff.reset()
        await backoff.wait(this.signal)
      }
    }
  }

  /** Reads one watch stream to the end of the history, or to a compaction. */
  private async *follow(): AsyncGenerator<ReplayPart, void, void> {
    const stream = await this.client.openWatch()
    const stop = () => stream.close()
    this.signal.addEventListener('abort', stop, { once: true })
    try {
      if (this.signal.aborted) return
      // Not at reached + 1: if that is the compacted revision, etcd accepts the watch, but omits its deletions.
      const start_revision = Math.max(1, this.reached)
      stream.write({ create_request: { ...this.range, start_revision, prev_kv: true } })
      const ask = () => stream.write({ progress_request: {} })
      const end = new ReplayEnd(this.span.end, ask)
      const responses = liveResponses(stream, this.range.key)
      for (;;) {
        const { value: response, done } = await nudging(responses.next(), ask)
        if (this.signal.aborted) return
        if (done) throw new DiscoError('ETCD_UNREACHABLE', 'etcd ended the watch')
        if (response.canceled) {
          yield this.compacted(response)
          return
        }
        for (let at = 0; at < response.events.length; at += PART_EVENTS) {
          yield this.take(response.events.slice(at, at + PART_EVENTS))
        }
        this.isOver = end.isReached(response, this.reached)
        if (this.isOver) return
      }
    } catch (thrown) {
      if (this.signal.aborted) return
      stream.skipMember()
      throw thrown
    } finally {
      this.signal.removeEventListener('abort', stop)
      stream.close()
    }
  }

  private compacted({ compact_revision, cancel_reason }: IWatchResponse): ReplayPart {
    const revision = Number(compact_revision)
    if (revision <= this.reached)
      throw new DiscoError('ETCD_UNREACHABLE', `etcd ended the watch: ${cancel_reason}`)
    this.reached = revision
    this.delivered.clear()
    return { type: 'compacted', revision }
  }

  private take(events: IWatchResponse['events']): ReplayPart {
    const { filter, end } = this.span
    const changes: PastChange[] = []
    for (const event of events) {
      const revision = Number(event.kv.mod_revision)
      const key = keyText(event.kv.key)
      if (revision > end.revision) break
      if (!this.isNew(key, revision) || (filter && !filter(key))) continue
      // If the key did not exist before, `prev_kv` is empty or absent.
      const before = event.prev_kv?.key?.length > 0 ? readKeyValue(event.prev_kv) : null
      const after = event.type === 'Delete' ? null : readKeyValue(event.kv)
      changes.push({ key, revision, before, after })
    }
    this.reached = Math.max(this.reached, Number(events.at(-1)?.kv.mod_revision))
    return { type: 'changes', changes, reached: Math.min(this.reached, end.revision) }
  }

  /** Whether a change was not delivered before. Called in the order of the history. */
  private isNew(key: string, revision: Revision): boolean {
    if (revision <= this.span.after || revision < this.reached) return false
    if (revision > this.reached) {
      this.reached = revision
      this.delivered.clear()
    } else if (this.delivered.size === 0) {
      // No event at a compacted revision is delivered: its deletions are missing.
      return false
    }
    if (this.delivered.has(key)) return false
    this.delivered.add(key)
    return true
  }
}

/**
 * Awaits a response, and repeats the progress request until one comes: etcd does not answer while the watch is behind.
 */
async function nudging<T>(response: Promise<T>, ask: () => void): Promise<T> {
  const timer = setInterval(ask, NUDGE_MS)
  try {
    return await response
  } finally {
    clearInterval(timer)
  }
}
