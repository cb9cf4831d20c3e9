import type { Rng } from '../domain/rng.js'
import { CandidateList } from './candidate-list.js'
import { withoutParameters } from './parameters.js'
import type { Chooser } from './policy.js'

/**
 * Draws each endpoint with equal probability. Draws are independent, so the calls of many clients together also spread
 * evenly.
 */
export const random = withoutParameters({
  name: 'random',
  shortName: 'random',
  weighted: false,
  shares: 'random',
  create: ({ random }) => new Random(random),
})

class Random<Candidate> implements Chooser<Candidate> {
  private readonly candidates = new CandidateList<Candidate>()

  constructor(private readonly random: Rng) {}

  get size(): number {
    return this.candidates.size
  }

  join(candidate: Candidate): void {
    this.candidates.join(candidate, 1)
  }

  reweigh(): void {
    // Every weight above 0 counts as 1.
  }

  leave(candidate: Candidate): void {
    this.candidates.leave(candidate)
  }

  choose(): Candidate | null {
    const { members } = this.candidates
    return members[Math.floor(this.random() * members.length)] ?? null
  }
}
