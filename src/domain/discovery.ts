import type { Endpoint, Revision } from './endpoint.js'
import type { DiscoError } from './errors.js'
import type { Origins } from './origins.js'

/**
 * Names a whole service. Selectors, such as a version, are not part of a query: the caller applies them to the
 * endpoints. Shares, and whether weights are unset, depend on all endpoints of the service.
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

/** The registry that an update is about. */
export interface OfRegistry {
  /**
   * The name of the registry, if the discovery reads several: the update changes only the endpoints of this registry.
   * Absent if the discovery reads one registry.
   */
  readonly registry?: string
}

/** All endpoints at one revision. Only an empty Reset from etcd confirms that the service has no endpoints. */
export interface Reset extends OfRegistry {
  readonly type: 'reset'
  readonly revision: Revision
  readonly endpoints: readonly Endpoint[]
  /** A list from the cache is the last known one; a Reset from etcd follows it. */
  readonly source: 'etcd' | 'cache'
  /** Milliseconds since the list was received from etcd; 0 if `source` is `etcd`. */
  readonly ageMs: number
}

/** A key was written and now holds these endpoints. */
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

/** All changes of one etcd revision. One update has all of them. */
export interface Changes extends OfRegistry {
  readonly type: 'changes'
  readonly revision: Revision
  readonly changes: readonly [Change, ...Change[]]
}

/**
 * The registry is unreachable, or refuses access (for example while a password is changed). The last list stays valid
 * until the next Reset or Resync. Delivered once per outage, and again if etcd is then reachable but refuses access.
 */
export interface Stale extends OfRegistry {
  readonly type: 'stale'
  /** The start of the outage, in milliseconds since the epoch. */
  readonly sinceMs: number
  readonly cause: DiscoError
}

/**
 * The registry is reachable again, or its endpoints were listed again. The list delivered so far plus these changes is
 * current.
 */
export interface Resync extends OfRegistry {
  readonly type: 'resync'
  readonly revision: Revision
  /** Number of missed revisions of the whole cluster; null if their changes will still be delivered, as Changes. */
  readonly missedRevisions: number | null
  /** Differences from the list delivered so far; may be empty. */
  readonly changes: readonly Change[]
}

/** An update of a watched service. Apply updates in order; a `Reset` replaces the list. */
export type Update = Reset | Changes | Stale | Resync

/** The interface through which gRPC code reads the registry, so that neither imports the other. */
export interface Discovery {
  /**
   * Lists the endpoints, then watches from the next revision, without a gap. The first update is a Reset or a Stale.
   * The watch ends when the signal aborts; it throws only a DiscoError that a retry cannot fix.
   *
   * If too many updates wait for a slow caller, a Reset with the whole list replaces them. A slow caller never delays
   * other callers.
   */
  watch(query: Query, signal: AbortSignal): AsyncIterable<Update>

  /**
   * Explains why a service has no dialable endpoints: under which keys it was searched, and where it is registered
   * instead. The result is a clause for the messages of failed calls. Called whenever a list has lost its last dialable
   * endpoint.
   */
  explainEmpty?(query: Query): Promise<string>

  /**
   * The registries of a query. A discovery of one registry does not have this method, and accepts no `from`.
   *
   * @param from of the query
   * @throws DiscoError USAGE if `from` names an unknown registry
   */
  originsOf?(from: string | undefined): Origins
}
