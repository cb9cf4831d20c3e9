import type { Rng } from '../domain/rng.js'
import { withoutParameters } from './parameters.js'
import type { Chooser } from './policy.js'
import { WeightTree } from './weight-tree.js'

/** Draws an endpoint with probability in proportion to its weight. O(log n) for a pick and for a change. */
export const weightedRandom = withoutParameters({
  name: 'weighted_random',
  shortName: 'wrandom',
  weighted: true,
  shares: 'random',
  create: ({ random }) => new WeightedRandom(random),
})

class WeightedRandom<Candidate> implements Chooser<Candidate> {
  private readonly tree = new WeightTree<Candidate>()

  constructor(private readonly random: Rng) {}

  get size(): number {
    return this.tree.size
  }

  join(candidate: Candidate, weight: number): void {
    this.tree.set(candidate, weight)
  }

  reweigh(candidate: Candidate, weight: number): void {
    if (this.tree.has(candidate)) this.tree.set(candidate, weight)
  }

  leave(candidate: Candidate): void {
    this.tree.delete(candidate)
  }

  choose(): Candidate | null {
    return this.tree.draw(this.random)
  }
}
