import type { RegisteredEndpoint } from '../resolver/endpoint.js'

/**
 * An endpoint that a policy may pick, independent of how its connections are made. A member that is neither READY nor
 * failing is idle or connecting, or its health is not known yet.
 */
export interface Member {
  readonly endpoint: RegisteredEndpoint
  readonly isReady: boolean
  /** Whether the last connection attempt failed, or the server reports that it is not serving. */
  readonly isFailing: boolean
  /** Why the member is not READY; null if it is READY, or if the reason is unknown. */
  readonly problem: string | null
  /** The number of outstanding calls. */
  readonly outstanding: { readonly count: number }
  /** The index in the resolver's list. */
  readonly rank: number
  /** Names to which a call can be pinned. */
  readonly names: readonly string[]
}

/** Receives the events of the members' connections. */
export interface MemberReports<One> {
  /** The state of the member has changed; read the new state from the member. */
  onState(member: One): void
  /** A connection attempt failed, or the server reports that it is not serving. Follows `onState`. */
  onFailed(member: One, problem: string): void
  /** A connection that was READY ended. Precedes `onState`. */
  onDropped(member: One, reason: string): void
}
