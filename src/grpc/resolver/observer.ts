import { experimental, type Metadata } from '@grpc/grpc-js'
import type { Update } from '../../domain/discovery.js'
import type { RegisteredEndpoint } from './endpoint.js'
import type { SelectedList } from './live-list.js'

/**
 * The channel option that passes the observer to the resolver and balancer of a channel. The prefix excludes the option
 * from the identity of a subchannel, so that channels with different observers share connections.
 */
export const OBSERVER_OPTION = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.disco.observer`

/** The request header that carries the id of an observed call to the picker. The picker removes it. */
const CALL_HEADER = 'disco-call'

/** A change of one endpoint in the rotation. */
export interface RotationChange {
  readonly endpoint: RegisteredEndpoint
  /** The new weight for the policy; 0 for an endpoint that is no longer picked. */
  readonly weight: number
  /**
   * Whether the policy keeps the endpoint's place in the rotation although it is not picked: the endpoint is not READY,
   * or its registry has a lower priority than the registry in use.
   */
  readonly isAway: boolean
  /**
   * The weight for comparisons with endpoints of all registries, if several registries receive calls in a ratio: the
   * registry's weight times the endpoint's share (0 to 1) of the registry's calls. If absent, compare `weight`.
   */
  readonly shareWeight?: number
}

/** Receives the events of a channel synchronously. Methods must not throw or take long. */
export interface Observer {
  /** An update of the registry, as soon as it is received. `resolved` follows with the next delivery. */
  heard?(update: Update): void
  /**
   * The list that the channel now uses. A list of another resolver (`dns:`, a static list) has revision 0 and is never
   * stale.
   */
  resolved?(list: SelectedList): void
  /**
   * The resolver failed while the channel has no endpoints. For an `etcd:` target, `resolved` also reports the outage.
   *
   * @param problem the status details of the resolver's error
   */
  unresolved?(problem: string): void
  /**
   * The state of an endpoint's connection has changed.
   *
   * @param problem why the connection is not READY; null if it is READY, or if the reason is unknown
   */
  connectivity?(endpoint: RegisteredEndpoint, isReady: boolean, problem: string | null): void
  /** A connection attempt failed, or the server reports that it is not serving. */
  failed?(endpoint: RegisteredEndpoint, problem: string): void
  /** A connection that was READY has ended. The endpoint reconnects by itself. */
  dropped?(endpoint: RegisteredEndpoint, reason: string): void
  /**
   * The endpoints in rotation (READY, not drained) with the weights that the policy uses, after each change. Each call
   * costs O(endpoints); `rotated` costs O(changes).
   */
  rotation?(weights: ReadonlyMap<RegisteredEndpoint, number>): void
  /** Changes of the rotation; never empty. */
  rotated?(changes: readonly RotationChange[]): void
  /**
   * An attempt of a call with `markCall` was assigned to this endpoint. A retry is another attempt, with another pick.
   *
   * @param callId the id from `markCall`; 0 for all calls of a proxy
   */
  picked?(endpoint: RegisteredEndpoint, callId: number): void
}

/**
 * The observer of a channel. Channels without an observer share one object, because the balancer compares objects to
 * detect that the observer has changed.
 */
export function observerOf(channelOptions: object): Observer {
  return (channelOptions as Readonly<Record<string, Observer | undefined>>)[OBSERVER_OPTION] ?? NO_OBSERVER
}

const NO_OBSERVER: Observer = {}

/**
 * Marks a call with an id, by a header, so that `Observer.picked` reports the endpoint of each attempt, for example for
 * a trace or a metric. The header is removed before the call is sent. Use it only if the channel's observer has
 * `picked`: otherwise the header is sent.
 *
 * @param callId an integer that is unique among the outstanding calls
 * @returns the same metadata
 * @example
 * ```ts
 * import { Client, credentials, Metadata } from '@grpc/grpc-js'
 * import { Registry } from 'disco-registry'
 * import { channelOptions, install, markCall, type Observer } from 'disco-registry/grpc'
 *
 * install({ discovery: await Registry.open() })
 * const observer: Observer = {
 *   picked: ({ registration }, callId) => console.log(`call ${callId} goes to ${registration.addr}`),
 * }
 * const client = new Client('etcd:///hello', credentials.createInsecure(), channelOptions({ observer }))
 * const metadata = markCall(new Metadata(), 1)
 * ```
 */
export function markCall(metadata: Metadata, callId: number): Metadata {
  metadata.set(CALL_HEADER, String(callId))
  return metadata
}

/**
 * Removes the mark of a call and returns its id; null for a call without a mark.
 *
 * @param metadata the picker's copy for one attempt, so that a retry still has the mark
 */
export function takeMark(metadata: Metadata): number | null {
  const [mark] = metadata.get(CALL_HEADER)
  if (mark === undefined) return null
  metadata.remove(CALL_HEADER)
  return Number(mark)
}
