import type { Endpoint, Revision } from './endpoint.js'
import type { DiscoError } from './errors.js'

/** What to look for. The whole service, always: a version or a filter is the reader's to apply, because a
 * share, and whether weights are set at all, are properties of the whole service. */
export interface Query {
  readonly service: string
  /** `auto`, a layout's name, or `NAME=BASE`; what the discovery itself was set to where nothing is said. */
  readonly layout?: string | undefined
  /** The prefix of all keys; likewise. */
  readonly root?: string | undefined
}

/** The whole truth at one revision. An empty one from etcd is a confirmed empty; nothing else is. */
export interface Reset {
  readonly type: 'reset'
  readonly revision: Revision
  readonly endpoints: readonly Endpoint[]
  /** A list from the cache is what stood when it was last seen; etcd's own will follow it. */
  readonly source: 'etcd' | 'cache'
  /** How long ago the list was seen; 0 from etcd. */
  readonly ageMs: number
}

/** A key now holds these endpoints. */
export interface Put {
  readonly type: 'put'
  readonly key: string
  readonly endpoints: readonly Endpoint[]
}

/** A key is gone. Expiry and deletion are the same event to etcd. */
export interface Delete {
  readonly type: 'delete'
  readonly key: string
}

/** What became of one key. */
export type Change = Put | Delete

/** Everything that one etcd revision changed; never a part of it. */
export interface Changes {
  readonly type: 'changes'
  readonly revision: Revision
  readonly changes: readonly [Change, ...Change[]]
}

/**
 * The registry is out of reach, or denies (a password is being changed): the last list stands until the next Reset
 * or Resync. Delivered once an outage; a denial after an outage is delivered as well.
 */
export interface Stale {
  readonly type: 'stale'
  /** When it went out of reach, in milliseconds since the epoch. */
  readonly sinceMs: number
  readonly cause: DiscoError
}

/** The registry is in reach again, or was listed anew: what was told before and these changes are the truth. */
export interface Resync {
  readonly type: 'resync'
  readonly revision: Revision
  /** Revisions of the whole cluster that went by unseen; null where they will still be told, as Changes. */
  readonly missedRevisions: number | null
  /** What differs from what was told; may be nothing. */
  readonly changes: readonly Change[]
}

/** What a watch of a service tells: apply them in order (`Reset` replaces everything). */
export type Update = Reset | Changes | Stale | Resync

/** The port between the registry and gRPC: neither side knows the other. */
export interface Discovery {
  /**
   * Lists, then watches from the next revision: nothing is missed between. The first update is a Reset or a
   * Stale. It never ends by itself: it stops with the signal, or throws a DiscoError that no retry can mend.
   *
   * A caller that takes updates more slowly than they come gets a Reset in place of those that were too many to
   * keep; it never holds up other callers.
   */
  watch(query: Query, signal: AbortSignal): AsyncIterable<Update>

  /**
   * Where a service without endpoints to dial was looked for, and where it is instead: a clause for the messages of failed calls.
   * Called whenever a service's list becomes so.
   */
  explainEmpty?(query: Query): Promise<string>
}
