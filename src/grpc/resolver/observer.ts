import { experimental, type Metadata } from '@grpc/grpc-js'
import type { Update } from '../../domain/discovery.js'
import type { RegisteredEndpoint } from './endpoint.js'
import type { ResolvedList } from './live-list.js'

/**
 * The channel option under which a channel's resolver, balancer and picker find their observer. The prefix keeps
 * it out of the identity of connections: channels that differ in nothing else share them.
 */
export const OBSERVER_OPTION = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.disco.observer`

/** The request header by which an observed call is known to the picker, which takes it off again. */
const CALL_HEADER = 'disco-call'

/** Sees what a channel does, as it does it. Nothing here may throw or take long. */
export interface Observer {
  /** What the registry told, at once; `resolved` follows when the burst that it may be part of is over. */
  heard?(update: Update): void
  /** The registry's list as the channel now has it. */
  resolved?(list: ResolvedList): void
  /** An endpoint's connection changed its state; `problem` says why it is not READY. */
  connectivity?(endpoint: RegisteredEndpoint, isReady: boolean, problem: string | null): void
  /** Who is picked from now on, with the weights that the policy follows: READY, and not drained. */
  rotation?(weights: ReadonlyMap<RegisteredEndpoint, number>): void
  /** An attempt of a marked call goes to this endpoint. A retried call is picked for again. */
  picked?(endpoint: RegisteredEndpoint, callId: number): void
}

export function observerOf(channelOptions: object): Observer {
  return (channelOptions as Readonly<Record<string, Observer | undefined>>)[OBSERVER_OPTION] ?? {}
}

/** Marks a call, so that `picked` tells which one an endpoint was chosen for. */
export function markCall(metadata: Metadata, callId: number): Metadata {
  metadata.set(CALL_HEADER, String(callId))
  return metadata
}

/** The picker's side: `metadata` is one attempt's own copy. */
export function takeMark(metadata: Metadata): number | null {
  const [mark] = metadata.get(CALL_HEADER)
  if (mark === undefined) return null
  metadata.remove(CALL_HEADER)
  return Number(mark)
}
