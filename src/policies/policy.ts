import type { Rng } from '../domain/rng.js'
import type { ShareRule } from '../domain/shares.js'

/** Keys of a call that a policy may choose by. A key is null if the call does not have it. */
export interface CallKeys {
  /** Under the hashing policies, calls with the same key go to the same endpoint. */
  readonly hashKey: string | null
  /** The endpoint that the call wants, under `pinned`. */
  readonly pin: string | null
}

/**
 * The `CallKeys` of a call without keys.
 *
 * @example
 * ```ts
 * import { NO_KEYS } from 'disco-registry/policies'
 *
 * const keys = { ...NO_KEYS, hashKey: 'user-42' }
 * ```
 */
export const NO_KEYS: CallKeys = { hashKey: null, pin: null }

/** Inputs of a policy besides the weights. */
export interface Environment<Candidate> {
  readonly random: Rng
  /** The name of this client: its address or its host name. `source_hash` hashes it. */
  readonly clientKey: string
  /**
   * The id of a candidate. It must not change, and must be the same in all clients, so that all build the same hash
   * ring.
   */
  id(candidate: Candidate): string
  /** Names that a call may pin: the registered id, the key and the address. Read by `join` and `rename`. */
  names(candidate: Candidate): readonly string[]
  /** The candidate's index in the resolver's list. Read by `choose`. */
  rank(candidate: Candidate): number
  /**
   * The number of outstanding calls, including calls that were picked and have not started. Read by `join`, `reweigh`,
   * `recount` and `choose`.
   */
  outstanding(candidate: Candidate): number
}

/**
 * An LB policy without gRPC: holds the candidates in rotation and picks one for each call. Its state (position in the
 * rotation, lags) survives changes of candidates and weights. Pure: it uses no clock and no I/O, and randomness comes
 * from the environment.
 *
 * Candidates are compared by identity, and each is in rotation at most once. The caller does not join a candidate of
 * weight 0.
 */
export interface Chooser<Candidate> {
  /** The candidate can be chosen from now on. @param weight an integer > 0 */
  join(candidate: Candidate, weight: number): void
  /** A candidate's weight has changed. @param weight an integer > 0 */
  reweigh(candidate: Candidate, weight: number): void
  /** The candidate is no longer chosen, and its state is discarded. */
  leave(candidate: Candidate): void
  /**
   * The candidate is temporarily not READY: it is not chosen, and keeps its place and lag until `resume` or `leave`. A
   * policy without such state omits both methods; the caller then calls `leave` and `join` instead.
   */
  suspend?(candidate: Candidate): void
  /** The candidate is READY again. @param weight an integer > 0; may differ from the previous one */
  resume?(candidate: Candidate, weight: number): void
  /**
   * The number of the candidate's outstanding calls has changed. Only policies that order candidates by it implement
   * this.
   */
  recount?(candidate: Candidate): void
  /** The candidate's names have changed. Only policies that choose by name implement this. */
  rename?(candidate: Candidate): void
  /** Chooses a candidate for a call. Null if no candidate is in rotation, or if `pinned` finds none for the keys. */
  choose(keys?: CallKeys): Candidate | null
  /** The number of candidates in rotation. */
  readonly size: number
}

/** Properties of a policy that do not depend on its parameters. */
export interface PolicyTraits {
  readonly name: string
  /** A short name for the command line. */
  readonly shortName: string
  /** Whether shares follow the weights. If not, the weights of endpoints in rotation are ignored. */
  readonly weighted: boolean
  /** What the policy promises about shares. */
  readonly shares: ShareRule
}

/** A policy with its parameters. */
export interface Policy extends PolicyTraits {
  /** The parameters in the form of a service config. */
  readonly config: Readonly<Record<string, unknown>>
  /** The keys that `choose` reads, so that callers need not compute others. */
  readonly reads: readonly (keyof CallKeys)[]
  /** Whether the policy reads outstanding calls. If not, callers need not count them. */
  readonly countsCalls: boolean
  /**
   * Creates a chooser without candidates. Keep it through all changes of the list: a new chooser starts without state.
   */
  create<Candidate>(environment: Environment<Candidate>): Chooser<Candidate>
}

/** A policy before its parameters are set. */
export interface PolicyKind extends PolicyTraits {
  /** Sets the parameters. @throws DiscoError USAGE for an unknown parameter or an invalid value */
  configure(config: unknown): Policy
}

/** A kind whose names have literal types: `PolicyName` is the union of them. */
export interface NamedKind<Name extends string, ShortName extends string> extends PolicyKind {
  readonly name: Name
  readonly shortName: ShortName
}
