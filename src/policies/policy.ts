/**
 * What an LB policy does, without gRPC: it is told who is in rotation and picks among them. It keeps its
 * state (rotation, lags) through every change, so that no change makes it start over. Pure: no clock, no
 * randomness, no I/O.
 *
 * A candidate is compared by identity and is in rotation at most once. Weight 0 is never in rotation: the
 * caller leaves such a candidate out.
 */
export interface Chooser<Candidate> {
  /** @param weight an integer > 0 */
  join(candidate: Candidate, weight: number): void
  reweigh(candidate: Candidate, weight: number): void
  leave(candidate: Candidate): void
  /** Null when nobody is in rotation. */
  choose(): Candidate | null
  readonly size: number
}

export interface Policy {
  readonly name: string
  /** What a command line may call it. */
  readonly shortName: string
  /** Whether shares follow the weights; equal shares otherwise. */
  readonly weighted: boolean
  create<Candidate>(): Chooser<Candidate>
}
