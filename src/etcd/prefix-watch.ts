import type { IWatchResponse } from 'etcd3'
import type { Revision } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import { Backoff } from './backoff.js'
import type { EtcdClient } from './client.js'
import { type KeyRange, type KeyValue, list, readKeyValue } from './range.js'
import { sift } from './sift.js'
import { watchStream } from './watch-stream.js'

export type KeyEvent =
  | { readonly type: 'put'; readonly kv: KeyValue }
  | { readonly type: 'delete'; readonly key: string }

/** Tells by the key whether it matters; the others are not listed with their values, and not told. */
export type Keep = (key: string) => boolean

/** What a watched range tells. After a Stale comes a Live (nothing was missed) or a Reset. */
export type RangeUpdate =
  | { readonly type: 'reset'; readonly revision: Revision; readonly kvs: readonly KeyValue[] }
  | {
      readonly type: 'changes'
      readonly revision: Revision
      readonly events: readonly [KeyEvent, ...KeyEvent[]]
    }
  | { readonly type: 'live'; readonly revision: Revision }
  | { readonly type: 'stale'; readonly cause: DiscoError }

/**
 * Lists at revision R, watches from R + 1, and goes on for as long as the signal lets it: through cut
 * connections it resumes behind the last revision seen; where that is compacted, or the cluster is another
 * one or was set back, it lists again and gives a Reset. One revision is delivered as one unit.
 *
 * An outage is told once, as Stale. Throws only what no retry can mend: ETCD_DENIED, or a bug.
 */
export async function* watchRange(
  client: EtcdClient,
  range: KeyRange,
  signal: AbortSignal,
  { keep = null }: { keep?: Keep | null } = {},
): AsyncGenerator<RangeUpdate, void, void> {
  const backoff = new Backoff()
  const position = new Position()
  let isStale = false
  while (!signal.aborted) {
    try {
      if (!(await position.stillHolds(client, range))) {
        const listing = await (keep ? sift(client, range, keep) : list(client, range))
        position.reset(listing.clusterId, listing.revision)
        isStale = false
        yield { type: 'reset', revision: listing.revision, kvs: listing.kvs }
      }
      for await (const response of watchStream(client, range, position.next, signal)) {
        if (response.created) {
          backoff.reset()
          if (isStale) yield { type: 'live', revision: position.next - 1 }
          isStale = false
        }
        if (response.canceled) {
          position.lose()
          await backoff.wait(signal)
          break
        }
        for (const update of byRevision(response, keep)) {
          position.advance(update.revision)
          yield update
        }
        // What was not kept was seen all the same: to resume behind it spares reading it again.
        position.advance(Number(response.events.at(-1)?.kv.mod_revision ?? 0))
      }
    } catch (thrown) {
      if (signal.aborted) return
      const cause = DiscoError.from(client.translate(thrown))
      if (cause.code !== 'ETCD_UNREACHABLE') throw cause
      client.moveOn()
      if (!isStale) yield { type: 'stale', cause }
      isStale = true
      await backoff.wait(signal)
    }
  }
}

/** Where a watch stands in a cluster's history. */
class Position {
  private clusterId: string | null = null
  private lastRevision: Revision = 0

  get next(): Revision {
    return this.lastRevision + 1
  }

  reset(clusterId: string, revision: Revision): void {
    this.clusterId = clusterId
    this.lastRevision = revision
  }

  advance(revision: Revision): void {
    this.lastRevision = Math.max(this.lastRevision, revision)
  }

  lose(): void {
    this.clusterId = null
  }

  /**
   * Asks etcd with a plain request: that renews an expired token, as a watch cannot, and tells whether this
   * is still the cluster, at a revision that is not behind us.
   */
  async stillHolds(client: EtcdClient, range: KeyRange): Promise<boolean> {
    if (this.clusterId === null) return false
    const { header } = await client.range({ ...range, count_only: true })
    return header.cluster_id === this.clusterId && Number(header.revision) >= this.lastRevision
  }
}

function* byRevision(
  response: Pick<IWatchResponse, 'events'>,
  keep: Keep | null,
): Generator<RangeUpdate & { type: 'changes' }> {
  let revision: Revision = 0
  let events: KeyEvent[] = []
  const flush = function* () {
    const [first, ...rest] = events
    if (first) yield { type: 'changes' as const, revision, events: [first, ...rest] as const }
    events = []
  }
  for (const event of response.events) {
    if (keep && !keep(event.kv.key.toString())) continue
    const eventRevision = Number(event.kv.mod_revision)
    if (eventRevision !== revision) yield* flush()
    revision = eventRevision
    events.push(
      event.type === 'Delete'
        ? { type: 'delete', key: event.kv.key.toString() }
        : { type: 'put', kv: readKeyValue(event.kv) },
    )
  }
  yield* flush()
}
