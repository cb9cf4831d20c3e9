import type { RegisteredEndpoint } from '../resolver/endpoint.js'

/**
 * An endpoint in a rotation, independent of how its connections are made. A member that is neither READY nor failing is
 * idle or connecting, or its health is not known yet.
 */
export interface Member {
  readonly endpoint: RegisteredEndpoint
  readonly isReady: boolean
  /** The last connection attempt failed, or the server says that it is not serving. */
  readonly isFailing: boolean
  /** Why it is not READY, as far as that is known. */
  readonly problem: string | null
  readonly outstanding: { readonly count: number }
  /** Its place in the resolver's list. */
  readonly rank: number
  /** Names to which a call can be pinned. */
  readonly names: readonly string[]
}

/** Receives the events of members' connections. */
export interface MemberReports<One> {
  /** Its state has changed; read it from the member. */
  onState(member: One): void
  /** A connection attempt failed, or the server reports that it is not serving. Follows `onState`. */
  onFailed(member: One, problem: string): void
  /** A connection that was READY ended. Precedes `onState`. */
  onDropped(member: One, reason: string): void
}
