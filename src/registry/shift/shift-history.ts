import type { Endpoint, Revision } from '../../domain/endpoint.js'
import { DiscoError } from '../../domain/errors.js'
import type { Reader } from '../../domain/layouts/reader.js'
import type { EtcdClient } from '../../etcd/client.js'
import type { KeyValue } from '../../etcd/pairs.js'
import { isOutOfHistory } from '../../etcd/range.js'
import { readAllKeys } from './weights.js'

/** Maximum number of revisions that are searched for shifts. */
const MAX_REVISIONS = 200

/** Maximum number of writes of one key that are searched for the one that set its weight. */
const MAX_WRITES = 20

/** Maximum number of revisions whose values are cached. */
const MAX_KEPT = 8

/** Weights of a service's current keys in etcd's history. */
export class ShiftHistory {
  private readonly keys: readonly string[]
  private readonly service: string
  private readonly read = new Map<Revision, Promise<readonly (KeyValue | null)[]>>()

  constructor(
    private readonly client: EtcdClient,
    private readonly reader: Reader,
    private readonly endpoints: readonly Endpoint[],
  ) {
    this.keys = [...new Set(endpoints.map(({ key }) => key))]
    this.service = endpoints[0]?.service ?? ''
  }

  /** Weights by key, without keys that cannot be read. @throws DiscoError CONFLICT if etcd does not have the revision */
  async weightsAt(revision: Revision): Promise<ReadonlyMap<string, number>> {
    const weights = new Map<string, number>()
    for (const kv of await this.at(revision)) {
      const weight = kv && this.weightOf(kv)
      if (kv && weight !== null) weights.set(kv.key, weight)
    }
    return weights
  }

  /** The keys that were written at a revision. @throws DiscoError CONFLICT if etcd does not have the revision */
  async writtenAt(revision: Revision): Promise<ReadonlySet<string>> {
    const kvs = await this.at(revision)
    return new Set(kvs.flatMap((kv) => (kv?.modRevision === revision ? [kv.key] : [])))
  }

  /**
   * The revision of the last transaction that wrote several keys and changed a weight. If there is none, the revision of
   * the last write of a single key that changed its weight.
   *
   * @throws DiscoError CONFLICT if there is none, or etcd does not have a revision that has to be read
   */
  async lastShift(): Promise<Revision> {
    const changed = this.endpoints.filter(
      ({ problem, modRevision, createRevision }) => problem === null && modRevision !== createRevision,
    )
    const revisions = [...new Set(changed.map(({ modRevision }) => modRevision))].sort((a, b) => b - a)
    let single: Revision | null = null
    for (const revision of revisions.slice(0, MAX_REVISIONS)) {
      const written = await this.writtenAt(revision)
      const [before, after] = [await this.weightsAt(revision - 1), await this.weightsAt(revision)]
      const hasChanged = [...written].some((key) => (before.get(key) ?? after.get(key)) !== after.get(key))
      if (hasChanged && written.size > 1) return revision
      if (hasChanged) single ??= revision
    }
    if (single !== null) return single
    throw new DiscoError('CONFLICT', `etcd's history shows no change of the weights of ${this.service}`)
  }

  /**
   * The endpoints whose weight was set after a revision on its own, not by a shift, which writes several keys in one
   * transaction. Includes endpoints for which the history is too long to search.
   */
  async setAlone(since: Revision): Promise<readonly Endpoint[]> {
    const alone: Endpoint[] = []
    let looks = 0
    const byShift = new Map<Revision, boolean>()
    for (const endpoint of this.endpoints) {
      if (endpoint.problem !== null || endpoint.modRevision <= since) continue
      const revision = await this.weightSetAt(endpoint, since)
      if (revision <= since) continue
      if (!byShift.has(revision) && ++looks <= MAX_REVISIONS) {
        byShift.set(revision, (await this.writtenAt(revision)).size > 1)
      }
      if (byShift.get(revision) !== true) alone.push(endpoint)
    }
    return alone
  }

  /** The revision at which the endpoint got its current weight. A result up to `since` means: not after `since`. */
  private async weightSetAt({ key, weight, modRevision }: Endpoint, since: Revision): Promise<Revision> {
    let revision = modRevision
    for (let write = 0; write < MAX_WRITES && revision > since; write++) {
      // A transaction of several keys is a shift.
      if ((await this.writtenAt(revision)).size > 1) return revision
      const [kv] = await this.readAt([key], revision - 1)
      if (!kv || this.weightOf(kv) !== weight) return revision
      revision = kv.modRevision
    }
    return revision
  }

  /**
   * The weight that the endpoint had before shifts changed it; null if a former value cannot be read.
   *
   * @throws DiscoError CONFLICT if etcd does not have a revision that has to be read
   */
  async weightBeforeShifts({ key, weight, modRevision }: Endpoint): Promise<number | null> {
    let [own, revision]: [number | null, Revision] = [weight, modRevision]
    for (let write = 0; write < MAX_WRITES && (await this.writtenAt(revision)).size > 1; write++) {
      const [kv] = await this.readAt([key], revision - 1)
      if (!kv) return own
      ;[own, revision] = [this.weightOf(kv), kv.modRevision]
    }
    return own
  }

  private weightOf({ key, value }: KeyValue): number | null {
    const decoded = this.reader.read(key, value)?.decoded
    return decoded?.kind === 'endpoints' ? decoded.records[0].weight : null
  }

  private at(revision: Revision): Promise<readonly (KeyValue | null)[]> {
    const known = this.read.get(revision) ?? this.readAt(this.keys, revision)
    this.read.set(revision, known)
    const [oldest] = this.read.keys()
    if (oldest !== undefined && this.read.size > MAX_KEPT) this.read.delete(oldest)
    return known
  }

  private async readAt(keys: readonly string[], revision: Revision): Promise<readonly (KeyValue | null)[]> {
    try {
      return await readAllKeys(this.client, keys, revision)
    } catch (error) {
      if (!isOutOfHistory(error)) throw error
      throw new DiscoError(
        'CONFLICT',
        `etcd does not have revision ${revision}: it was compacted, or not yet reached`,
        {
          cause: error,
          suggestions: [`Set the weights by shares: disco shift ${this.service} version=1.0.0=50%`],
        },
      )
    }
  }
}
