import { experimental, type Metadata } from '@grpc/grpc-js'
import type { Update } from '../../domain/discovery.js'
import type { RegisteredEndpoint } from './endpoint.js'
import type { SelectedList } from './live-list.js'

/**
 * The channel option under which a channel's resolver, balancer and picker find their observer. The prefix excludes
 * it from the identity of connections, so that channels share them.
 */
export const OBSERVER_OPTION = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.disco.observer`

/** The request header that identifies an observed call to the picker, which removes it. */
const CALL_HEADER = 'disco-call'

/** A change of one endpoint's place in the rotation. */
export interface RotationChange {
  readonly endpoint: RegisteredEndpoint
  /** The new weight for the policy; 0 for an endpoint that is no longer picked. */
  readonly weight: number
  /**
   * Whether the endpoint is only not READY, or in reserve (its registry has a lower priority than the one in use), so
   * that the policy keeps its place in the rotation.
   */
  readonly isAway: boolean
  /**
   * The weight to compare with all others in rotation, if several registries get calls in a ratio: the registry's
   * weight times the endpoint's share in it. If absent, compare `weight`.
   */
  readonly shareWeight?: number
}

/** Receives the events of a channel synchronously. Methods must not throw or take long. */
export interface Observer {
  /** An update of the registry, as soon as it is received; `resolved` follows with the next delivery. */
  heard?(update: Update): void
  /**
   * The list that the channel now uses. A list of another resolver (`dns:`, a static list) has revision 0 and is never
   * stale.
   */
  resolved?(list: SelectedList): void
  /** Another resolver than ours failed before its first list; `problem` is its reason. */
  unresolved?(problem: string): void
  /** An endpoint's connection changed its state; `problem` says why it is not READY. */
  connectivity?(endpoint: RegisteredEndpoint, isReady: boolean, problem: string | null): void
  /** A connection attempt failed, or the server of a connection reports that it is not serving. */
  failed?(endpoint: RegisteredEndpoint, problem: string): void
  /** A connection that was READY ended. The endpoint connects again by itself. */
  dropped?(endpoint: RegisteredEndpoint, reason: string): void
  /**
   * The endpoints in rotation (READY, not drained) with the weights that the policy uses. Costs O(n) for each change;
   * `rotated` costs O(changes).
   */
  rotation?(weights: ReadonlyMap<RegisteredEndpoint, number>): void
  /** Changes of the rotation; never empty. */
  rotated?(changes: readonly RotationChange[]): void
  /**
   * An attempt of a marked call goes to this endpoint. A retry is picked again. A proxy reports all calls as number 0.
   */
  picked?(endpoint: RegisteredEndpoint, callId: number): void
}

/**
 * The channel's observer. Channels without one share an object: the balancer compares objects to detect a change of the
 * observer.
 */
export function observerOf(channelOptions: object): Observer {
  return (channelOptions as Readonly<Record<string, Observer | undefined>>)[OBSERVER_OPTION] ?? NO_OBSERVER
}

const NO_OBSERVER: Observer = {}

/**
 * Marks a call, so that `Observer.picked` reports the endpoint of each of its attempts, for a trace or a metric. The
 * header is removed before the call is sent. Only for channels whose observer has `picked`.
 *
 * @param callId an integer that is unique among the calls that are outstanding
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

/** Removes the mark of a call and returns its id. Called by the picker, whose `metadata` is a copy for one attempt. */
export function takeMark(metadata: Metadata): number | null {
  const [mark] = metadata.get(CALL_HEADER)
  if (mark === undefined) return null
  metadata.remove(CALL_HEADER)
  return Number(mark)
}
