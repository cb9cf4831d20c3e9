import type { Endpoint, Revision } from './endpoint.js'
import type { DiscoError } from './errors.js'
import type { Origins } from './origins.js'

/**
 * Names a whole service. The reader applies selectors, such as a version, because shares depend on all endpoints of
 * the service, and so does the question whether weights are set at all.
 */
export interface Query {
  readonly service: string
  /** `auto`, a layout's name, or `NAME=BASE`; by default, the discovery's own setting. */
  readonly layout?: string | undefined
  /** The prefix of all keys; by default, the discovery's own setting. */
  readonly root?: string | undefined
  /** The registries to read, if there are several, such as `dc1,dc2`; by default, the discovery's own setting. */
  readonly from?: string | undefined
}

/** Part of each update of several registries. */
export interface OfRegistry {
  /**
   * The name of the registry; absent if there is only one. The update is about the part of the list that came from it.
   */
  readonly registry?: string
}

/** All endpoints at one revision. An empty Reset from etcd is a confirmed empty; no other update is. */
export interface Reset extends OfRegistry {
  readonly type: 'reset'
  readonly revision: Revision
  readonly endpoints: readonly Endpoint[]
  /** A list from the cache is the last known one; a Reset from etcd follows it. */
  readonly source: 'etcd' | 'cache'
  /** The time since the list was received; 0 from etcd. */
  readonly ageMs: number
}

/** A key now holds these endpoints. */
export interface Put {
  readonly type: 'put'
  readonly key: string
  readonly endpoints: readonly Endpoint[]
}

/** A key was removed. To etcd, expiry and deletion are the same event. */
export interface Delete {
  readonly type: 'delete'
  readonly key: string
}

/** A change of one key. */
export type Change = Put | Delete

/** All changes of one etcd revision, never a part of them. */
export interface Changes extends OfRegistry {
  readonly type: 'changes'
  readonly revision: Revision
  readonly changes: readonly [Change, ...Change[]]
}

/**
 * The registry is unreachable, or refuses access (for example while a password is changed). The last list stays valid
 * until the next Reset or Resync. Delivered once per outage, and again if access is refused after the outage.
 */
export interface Stale extends OfRegistry {
  readonly type: 'stale'
  /** The start of the outage, in milliseconds since the epoch. */
  readonly sinceMs: number
  readonly cause: DiscoError
}

/** The registry is reachable again, or was listed again: the list delivered so far plus these changes is current. */
export interface Resync extends OfRegistry {
  readonly type: 'resync'
  readonly revision: Revision
  /** Revisions of the whole cluster that were missed; null if they will still be delivered, as Changes. */
  readonly missedRevisions: number | null
  /** Differences from the list delivered so far; may be empty. */
  readonly changes: readonly Change[]
}

/** An update of a watched service. Apply updates in order; a `Reset` replaces the list. */
export type Update = Reset | Changes | Stale | Resync

/** The port between the registry and gRPC, which do not know each other. */
export interface Discovery {
  /**
   * Lists, then watches from the next revision, without a gap. The first update is a Reset or a Stale. The watch ends
   * when the signal aborts; it throws only a DiscoError that a retry cannot fix.
   *
   * A caller that reads more slowly than updates arrive gets a Reset in place of too many updates. It never delays
   * other callers.
   */
  watch(query: Query, signal: AbortSignal): AsyncIterable<Update>

  /**
   * Explains why a service has no dialable endpoints: where it was searched, and where it is registered instead. The
   * result is a clause for the messages of failed calls. Called whenever a list has lost its last dialable endpoint.
   */
  explainEmpty?(query: Query): Promise<string>

  /**
   * The registries of a query; absent from a discovery of one registry, which takes no `from`.
   *
   * @param from of the query
   * @throws DiscoError USAGE for a name that it does not have
   */
  originsOf?(from: string | undefined): Origins
}
