import { integer, readParameters } from './parameters.js'
import type { Chooser, Environment, PolicyKind } from './policy.js'
import { Roster } from './roster.js'
import { WeightTree } from './weight-tree.js'

const TRAITS = { name: 'least_request', shortName: 'lr', weighted: true, shares: 'none' } as const

/** More choices than this make no difference; gRFC A48 has the same bounds. */
const CHOICES = integer(2, 10)

/**
 * The endpoint with the fewest outstanding calls for its weight (least connections). Without parameters it
 * looks at all of them, which is exact and takes O(n); with `choiceCount` it draws so many and takes the best
 * of those, in O(log n) (the power of two choices: Mitzenmacher 2001; gRFC A48).
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

type Load<Candidate> = Pick<Environment<Candidate>, 'random' | 'outstanding'>

/**
 * Compares calls per weight, crosswise so that nothing is rounded. Those that are level (all idle, say) are
 * drawn by weight: so shares follow the weights where calls come one by one, and no client of many prefers
 * the same endpoint as the others.
 */
class LeastOfAll<Candidate> implements Chooser<Candidate> {
  private readonly roster = new Roster<Candidate>()

  constructor(private readonly load: Load<Candidate>) {}

  get size(): number {
    return this.roster.size
  }

  join(candidate: Candidate, weight: number): void {
    this.roster.join(candidate, weight)
  }

  reweigh(candidate: Candidate, weight: number): void {
    this.roster.reweigh(candidate, weight)
  }

  leave(candidate: Candidate): void {
    this.roster.leave(candidate)
  }

  choose(): Candidate | null {
    const { members, weights } = this.roster
    const { random, outstanding } = this.load
    let [leastCalls, itsWeight, levelWeight] = [0, 0, 0]
    for (let place = 0; place < members.length; place++) {
      // Within both arrays.
      const calls = outstanding(members[place] as Candidate)
      const weight = weights[place] as number
      const difference = itsWeight === 0 ? -1 : calls * itsWeight - leastCalls * weight
      if (difference > 0) continue
      levelWeight = difference < 0 ? weight : levelWeight + weight
      leastCalls = calls
      itsWeight = weight
    }
    let left = random() * levelWeight
    let chosen: Candidate | null = null
    for (let place = 0; place < members.length; place++) {
      const candidate = members[place] as Candidate
      const weight = weights[place] as number
      if (outstanding(candidate) * itsWeight !== leastCalls * weight) continue
      chosen = candidate
      left -= weight
      if (left < 0) break
    }
    return chosen
  }
}

/** Draws by weight, with repetition as A48 has it, so that idle endpoints share by weight here, too. */
class LeastOfSome<Candidate> implements Chooser<Candidate> {
  private readonly tree = new WeightTree<Candidate>()
  private readonly weights = new Map<Candidate, number>()

  constructor(
    private readonly load: Load<Candidate>,
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
