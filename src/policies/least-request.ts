import { LoadTree } from './load-tree.js'
import { integer, readParameters } from './parameters.js'
import type { Chooser, Environment, PolicyKind } from './policy.js'
import { Roster } from './roster.js'
import { WeightTree } from './weight-tree.js'

const TRAITS = { name: 'least_request', shortName: 'lr', weighted: true, shares: 'none' } as const

/** More choices than this make no difference; gRFC A48 has the same bounds. */
const CHOICES = integer(2, 10)

/**
 * The endpoint with the fewest outstanding calls relative to its weight (least connections), in O(log n). Without
 * parameters it compares all endpoints, which is exact; with `choiceCount` it draws that many and takes the best of
 * them (the power of two choices: Mitzenmacher 2001; gRFC A48).
 */
export const leastRequest: PolicyKind = {
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
 * Compares calls per weight among all endpoints and draws among ties by weight. So shares follow the weights where
 * calls come one by one, and the clients of a service do not all prefer the same idle endpoint.
 */
class LeastOfAll<Candidate> implements Chooser<Candidate> {
  private readonly roster = new Roster<Candidate>()
  /** Indexed by the places of the roster. */
  private readonly tree = new LoadTree()

  constructor(private readonly load: LoadSource<Candidate>) {}

  get size(): number {
    return this.roster.size
  }

  join(candidate: Candidate, weight: number): void {
    this.roster.join(candidate, weight)
    this.update(this.roster.size - 1)
  }

  reweigh(candidate: Candidate, weight: number): void {
    this.roster.reweigh(candidate, weight)
    this.recount(candidate)
  }

  recount(candidate: Candidate): void {
    const place = this.roster.placeOf(candidate)
    if (place !== undefined) this.update(place)
  }

  leave(candidate: Candidate): void {
    const place = this.roster.placeOf(candidate)
    if (place === undefined) return
    this.roster.leave(candidate)
    // The last candidate has moved to the place of the one that left.
    this.tree.set(this.roster.size, 0, 0)
    if (place < this.roster.size) this.update(place)
  }

  choose(): Candidate | null {
    return this.roster.members[this.tree.draw(this.load.random)] ?? null
  }

  private update(place: number): void {
    const { members, weights } = this.roster
    this.tree.set(place, this.load.outstanding(members[place] as Candidate), weights[place] as number)
  }
}

/** Draws by weight, with repetition as in A48, so that idle endpoints also share by weight. */
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
