import { CandidateList } from './candidate-list.js'
import { LoadTree } from './load-tree.js'
import { integer, readParameters } from './parameters.js'
import type { Chooser, Environment, NamedKind } from './policy.js'
import { WeightTree } from './weight-tree.js'

const TRAITS = { name: 'least_request', shortName: 'lr', weighted: true, shares: 'none' } as const

/** The bounds of gRFC A48. More than ten choices hardly improve the result. */
const CHOICES = integer(2, 10)

/**
 * Picks the endpoint with the fewest outstanding calls relative to its weight (least connections), in O(log n). Without
 * parameters it compares all endpoints, which is exact. With `choiceCount` it draws that many endpoints and picks the
 * best of them (the power of two choices: Mitzenmacher 2001; gRFC A48).
 */
export const leastRequest: NamedKind<'least_request', 'lr'> = {
  ...TRAITS,
  configure(config) {
    const { choiceCount } = readParameters(TRAITS.name, config, { choiceCount: CHOICES })
    return {
      ...TRAITS,
      config: choiceCount === undefined ? {} : { choiceCount },
      reads: [],
      countsCalls: true,
      create: (environment) =>
        choiceCount === undefined ? new LeastOfAll(environment) : new LeastOfSome(environment, choiceCount),
    }
  },
}

type LoadSource<Candidate> = Pick<Environment<Candidate>, 'random' | 'outstanding'>

/**
 * Picks the endpoint with the fewest calls per weight, and draws among ties in proportion to weight. With one call at a
 * time, all endpoints tie, so that shares follow the weights. The draw also prevents all clients of a service from
 * picking the same idle endpoint.
 */
class LeastOfAll<Candidate> implements Chooser<Candidate> {
  private readonly candidates = new CandidateList<Candidate>()
  /** Calls and weights by place in the list. */
  private readonly tree = new LoadTree()

  constructor(private readonly load: LoadSource<Candidate>) {}

  get size(): number {
    return this.candidates.size
  }

  join(candidate: Candidate, weight: number): void {
    this.candidates.join(candidate, weight)
    this.update(this.candidates.size - 1)
  }

  reweigh(candidate: Candidate, weight: number): void {
    this.candidates.reweigh(candidate, weight)
    this.recount(candidate)
  }

  recount(candidate: Candidate): void {
    const place = this.candidates.placeOf(candidate)
    if (place !== undefined) this.update(place)
  }

  leave(candidate: Candidate): void {
    const place = this.candidates.placeOf(candidate)
    if (place === undefined) return
    this.candidates.leave(candidate)
    // The last candidate has moved to the place of the one that left.
    this.tree.set(this.candidates.size, 0, 0)
    if (place < this.candidates.size) this.update(place)
  }

  choose(): Candidate | null {
    return this.candidates.members[this.tree.draw(this.load.random)] ?? null
  }

  private update(place: number): void {
    const { members, weights } = this.candidates
    this.tree.set(place, this.load.outstanding(members[place] as Candidate), weights[place] as number)
  }
}

/**
 * Draws `choices` endpoints in proportion to weight, with repetition (A48), and picks the one with the fewest calls per
 * weight. Shares among idle endpoints therefore follow the weights.
 */
class LeastOfSome<Candidate> implements Chooser<Candidate> {
  private readonly tree = new WeightTree<Candidate>()
  private readonly weights = new Map<Candidate, number>()

  constructor(
    private readonly load: LoadSource<Candidate>,
    private readonly choices: number,
  ) {}

  get size(): number {
    return this.tree.size
  }

  join(candidate: Candidate, weight: number): void {
    this.tree.set(candidate, weight)
    this.weights.set(candidate, weight)
  }

  reweigh(candidate: Candidate, weight: number): void {
    if (this.tree.has(candidate)) this.join(candidate, weight)
  }

  leave(candidate: Candidate): void {
    this.tree.delete(candidate)
    this.weights.delete(candidate)
  }

  choose(): Candidate | null {
    let best = this.tree.draw(this.load.random)
    for (let choice = 1; choice < this.choices && best !== null; choice++) {
      const other = this.tree.draw(this.load.random)
      if (other !== null && this.isLighter(other, best)) best = other
    }
    return best
  }

  private isLighter(a: Candidate, b: Candidate): boolean {
    const [weightOfA, weightOfB] = [this.weights.get(a) ?? 0, this.weights.get(b) ?? 0]
    return this.load.outstanding(a) * weightOfB < this.load.outstanding(b) * weightOfA
  }
}
