import type { Rng } from '../domain/rng.js'
import type { ShareRule } from '../domain/shares.js'

/** What a call brings along for a policy to choose by; null where it says nothing. */
export interface CallKeys {
  /** Calls with the same key go to the same endpoint, under the hashing policies. */
  readonly hashKey: string | null
  /** The endpoint that the call wants, under `pinned`. */
  readonly pin: string | null
}

export const NO_KEYS: CallKeys = { hashKey: null, pin: null }

/** What a policy may know beyond the weights. Everything is asked for when it is needed, never kept. */
export interface Environment<Candidate> {
  readonly random: Rng
  /** This client's own name: its address or its host's name. `source_hash` hashes it. */
  readonly clientKey: string
  /** The candidate's identity, the same in every client: rings that many clients share are made of it. */
  id(candidate: Candidate): string
  /** By which it can be pinned: its registered id, its key, its address. */
  names(candidate: Candidate): readonly string[]
  /** Its place in the resolver's list. */
  rank(candidate: Candidate): number
  /** Calls that were sent there and have not ended; those just picked for count. */
  outstanding(candidate: Candidate): number
}

/**
 * What an LB policy does, without gRPC: it is told who is in rotation and picks among them. It keeps its
 * state (rotation, lags) through every change, so that no change makes it start over. Pure: no clock, no
 * I/O, and randomness only from its environment.
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
  /** Null when nobody is in rotation, or nobody whom the call may go to. */
  choose(keys?: CallKeys): Candidate | null
  readonly size: number
}

interface PolicyTraits {
  readonly name: string
  /** What a command line may call it. */
  readonly shortName: string
  /** Whether shares follow the weights; equal shares otherwise. */
  readonly weighted: boolean
  readonly shares: ShareRule
}

/** A policy with its parameters. */
export interface Policy extends PolicyTraits {
  /** The parameters, as a service config writes them. */
  readonly config: Readonly<Record<string, unknown>>
  /** What `choose` looks at in a call's keys: a caller spares itself the search for others. */
  readonly reads: readonly (keyof CallKeys)[]
  /** Whether `choose` asks for outstanding calls, which a caller need not count otherwise. */
  readonly countsCalls: boolean
  create<Candidate>(environment: Environment<Candidate>): Chooser<Candidate>
}

/** A policy that still wants its parameters. */
export interface PolicyKind extends PolicyTraits {
  /** @throws DiscoError USAGE for a parameter that the policy lacks, or a value that it cannot take */
  configure(config: unknown): Policy
}
