import type { Rng } from '../domain/rng.js'
import type { ShareRule } from '../domain/shares.js'

/** Keys of a call that a policy may choose by; null for a key that the call lacks. */
export interface CallKeys {
  /** Calls with the same key go to the same endpoint, under the hashing policies. */
  readonly hashKey: string | null
  /** The endpoint that the call wants, under `pinned`. */
  readonly pin: string | null
}

export const NO_KEYS: CallKeys = { hashKey: null, pin: null }

/** Inputs of a policy besides the weights. They are read at each pick and never cached. */
export interface Environment<Candidate> {
  readonly random: Rng
  /** This client's own name: its address or its host's name. `source_hash` hashes it. */
  readonly clientKey: string
  /** The candidate's identity, equal in every client, so that all clients build the same hash ring. */
  id(candidate: Candidate): string
  /** Names that a call may pin: the registered id, the key and the address. */
  names(candidate: Candidate): readonly string[]
  /** Its place in the resolver's list. */
  rank(candidate: Candidate): number
  /** Outstanding calls, including calls that were picked and not yet started. */
  outstanding(candidate: Candidate): number
}

/**
 * An LB policy without gRPC: holds the candidates in rotation and picks one for each call. Its state (position in the
 * rotation, lags) survives every change. Pure: no clock and no I/O; randomness comes from the environment.
 *
 * A candidate is compared by identity and is in rotation at most once. Weight 0 is never in rotation: the
 * caller leaves such a candidate out.
 */
export interface Chooser<Candidate> {
  /** @param weight an integer > 0 */
  join(candidate: Candidate, weight: number): void
  reweigh(candidate: Candidate, weight: number): void
  leave(candidate: Candidate): void
  /**
   * Not READY for now: it is not chosen, and keeps its place and what it is owed until `resume` or `leave`.
   * Policies that keep neither lack both: such a candidate leaves, and joins again.
   */
  suspend?(candidate: Candidate): void
  /** READY again. @param weight may be another than before */
  resume?(candidate: Candidate, weight: number): void
  /** Its outstanding calls have changed, other than by joining; only policies that order by them have it. */
  recount?(candidate: Candidate): void
  /** Its names are others now; only policies that choose by name have it. */
  rename?(candidate: Candidate): void
  /** Null if no candidate is in rotation, or none that the call may go to. */
  choose(keys?: CallKeys): Candidate | null
  readonly size: number
}

interface PolicyTraits {
  readonly name: string
  /** A short name for the command line. */
  readonly shortName: string
  /** Whether shares follow the weights; equal shares otherwise. */
  readonly weighted: boolean
  readonly shares: ShareRule
}

/** A policy with its parameters. */
export interface Policy extends PolicyTraits {
  /** The parameters, as a service config writes them. */
  readonly config: Readonly<Record<string, unknown>>
  /** The keys that `choose` reads, so that callers need not compute others. */
  readonly reads: readonly (keyof CallKeys)[]
  /** Whether `choose` asks for outstanding calls, which a caller need not count otherwise. */
  readonly countsCalls: boolean
  create<Candidate>(environment: Environment<Candidate>): Chooser<Candidate>
}

/** A policy before its parameters are set. */
export interface PolicyKind extends PolicyTraits {
  /** @throws DiscoError USAGE for a parameter that the policy lacks, or a value that it cannot take */
  configure(config: unknown): Policy
}
