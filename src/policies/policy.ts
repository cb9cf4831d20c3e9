import type { Rng } from '../domain/rng.js'
import type { ShareRule } from '../domain/shares.js'

/** Keys of a call that a policy may choose by; null for a key that the call lacks. */
export interface CallKeys {
  /** Under the hashing policies, calls with the same key go to the same endpoint. */
  readonly hashKey: string | null
  /** The endpoint that the call wants, under `pinned`. */
  readonly pin: string | null
}

/**
 * The keys of a call that has none.
 *
 * @example
 * ```ts
 * import { NO_KEYS } from 'disco-registry/policies'
 *
 * const keys = { ...NO_KEYS, hashKey: 'user-42' }
 * ```
 */
export const NO_KEYS: CallKeys = { hashKey: null, pin: null }

/** Inputs of a policy besides the weights. They are read at each pick and never cached. */
export interface Environment<Candidate> {
  readonly random: Rng
  /** The name of this client: its address or its host name. `source_hash` hashes it. */
  readonly clientKey: string
  /** The identity of a candidate. It is equal in all clients, so that they all build the same hash ring. */
  id(candidate: Candidate): string
  /** Names that a call may pin: the registered id, the key and the address. */
  names(candidate: Candidate): readonly string[]
  /** The candidate's place in the resolver's list. */
  rank(candidate: Candidate): number
  /** Outstanding calls, including calls that were picked and not yet started. */
  outstanding(candidate: Candidate): number
}

/**
 * An LB policy without gRPC: holds the candidates in rotation and picks one for each call. Its state (position in the
 * rotation, lags) survives all changes. Pure: no clock and no I/O; randomness comes from the environment.
 *
 * A candidate is compared by identity and is in rotation at most once. Weight 0 is never in rotation: the caller
 * omits such a candidate.
 */
export interface Chooser<Candidate> {
  /** The candidate can be chosen from now on. @param weight an integer > 0 */
  join(candidate: Candidate, weight: number): void
  /** A candidate's weight has changed. @param weight an integer > 0 */
  reweigh(candidate: Candidate, weight: number): void
  /** The candidate is not chosen any more, and its state is forgotten. */
  leave(candidate: Candidate): void
  /**
   * The candidate is temporarily not READY: it is not chosen, and keeps its place and lag until `resume` or `leave`.
   * A policy without such state omits both methods: the candidate then leaves and joins again.
   */
  suspend?(candidate: Candidate): void
  /** The candidate is READY again. @param weight may differ from the previous one */
  resume?(candidate: Candidate, weight: number): void
  /**
   * The candidate's outstanding calls have changed, other than by joining. Only policies ordered by them implement
   * it.
   */
  recount?(candidate: Candidate): void
  /** The candidate's names have changed. Only policies that choose by name implement it. */
  rename?(candidate: Candidate): void
  /** Null if no candidate is in rotation, or none that is valid for this call. */
  choose(keys?: CallKeys): Candidate | null
  readonly size: number
}

/** What a policy is, with or without its parameters. */
export interface PolicyTraits {
  readonly name: string
  /** A short name for the command line. */
  readonly shortName: string
  /** Whether shares follow the weights; otherwise shares are equal. */
  readonly weighted: boolean
  readonly shares: ShareRule
}

/** A policy with its parameters. */
export interface Policy extends PolicyTraits {
  /** The parameters, as a service config writes them. */
  readonly config: Readonly<Record<string, unknown>>
  /** The keys that `choose` reads, so that callers need not compute others. */
  readonly reads: readonly (keyof CallKeys)[]
  /** Whether `choose` reads outstanding calls, so that callers need not count them otherwise. */
  readonly countsCalls: boolean
  /** A chooser without candidates. Its state lives as long as it does: keep one for all changes of a list. */
  create<Candidate>(environment: Environment<Candidate>): Chooser<Candidate>
}

/** A policy before its parameters are set. */
export interface PolicyKind extends PolicyTraits {
  /** @throws DiscoError USAGE for an unknown parameter or an invalid value */
  configure(config: unknown): Policy
}
