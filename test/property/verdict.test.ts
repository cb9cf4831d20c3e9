import { describe, expect, it } from 'vitest'
import { findPolicy, POLICIES, type PolicyKind, seeded } from '../../src/policies/index.js'
import { ShareLedger } from '../../src/stats/share-ledger.js'
import { judge, type Verdict } from '../../src/stats/verdict.js'
import { chooserOf } from '../support/choosers.js'
import { rounds } from '../support/effort.js'

/** A policy with a chooser, whose picks are recorded in a ledger as in a run. */
class Run {
  readonly ledger = new ShareLedger()
  private readonly chooser
  private readonly weights = new Map<number, number>()

  constructor(
    private readonly policy: PolicyKind,
    weights: readonly number[],
    private readonly rng: () => number,
  ) {
    this.chooser = chooserOf<number>(policy, { random: rng })
    for (const [id, weight] of weights.entries()) this.place(id, weight)
    this.rotate()
  }

  /** Sets the weight of an endpoint; weight 0 removes it. */
  place(id: number, weight: number): void {
    if (weight === 0) this.chooser.leave(id)
    else if (this.weights.has(id)) this.chooser.reweigh(id, weight)
    else this.chooser.join(id, weight)
    if (weight === 0) this.weights.delete(id)
    else this.weights.set(id, weight)
  }

  rotate(): void {
    const weightOf = (weight: number) => (this.policy.weighted ? weight : 1)
    this.ledger.rotate(new Map([...this.weights].map(([id, weight]) => [String(id), weightOf(weight)])))
  }

  pick(times: number): this {
    for (let pick = 0; pick < times; pick++) this.ledger.pick(String(this.chooser.choose()))
    return this
  }

  judge(): Verdict {
    return judge(this.ledger, this.policy.shares, this.rng)
  }
}

const ones = (count: number) => Array.from({ length: count }, () => 1)

/** Weights and numbers of calls: judged exactly, by chi-square, at the limit between them, or by sampling. */
const STANDING: readonly { weights: readonly number[]; calls: number }[] = [
  { weights: [1, 1, 1, 1, 10], calls: 10 },
  { weights: [1, 1, 1, 1, 10], calls: 70 },
  { weights: [1, 3], calls: 20 },
  { weights: [2, 3, 5], calls: 35 },
  { weights: [1, 20], calls: 105 },
  { weights: ones(40), calls: 200 },
  { weights: [...ones(20), 20], calls: 200 },
  { weights: [1, 2, 3, 4, 5, 6], calls: 8 },
]

/** Runs in which weights or endpoints change. */
const CHANGES: readonly ((policy: PolicyKind, rng: () => number) => Run)[] = [
  (policy, rng) => {
    const run = new Run(policy, [1, 1, 1, 1, 10], rng).pick(100)
    run.place(4, 2)
    run.rotate()
    return run.pick(100)
  },
  (policy, rng) => {
    const run = new Run(policy, [5, 1, 3, 4], rng).pick(60)
    run.place(3, 0)
    run.rotate()
    return run.pick(60)
  },
  (policy, rng) => {
    const run = new Run(policy, [5, 1], rng)
    for (let epoch = 0; epoch < 12; epoch++) {
      run.place(2 + (epoch % 2), epoch % 4 < 2 ? 1 + epoch : 0)
      run.rotate()
      run.pick(5)
    }
    return run
  },
]

const PROMISING = POLICIES.filter(({ shares }) => shares !== 'none')

describe.each(PROMISING.map((policy) => [policy.name, policy] as const))(
  'the verdict on correct picks of %s',
  (_, policy) => {
    it('fails in at most 1% of many runs, within three standard errors', () => {
      const runs = rounds({ quick: 1_000, long: 10_000 })
      const most = runs * 0.01 + 3 * Math.sqrt(runs * 0.01 * 0.99)
      const rng = seeded(2024)
      const failed: string[] = []
      for (let run = 0; run < runs; run++) {
        const change = CHANGES[run % 90]
        const { weights, calls } = STANDING[run % STANDING.length] ?? { weights: [1], calls: 1 }
        const made = change ? change(policy, rng) : new Run(policy, weights, rng).pick(calls)
        if (made.judge().result === 'fail')
          failed.push(change ? `change ${run % 90}` : `${weights} x ${calls}`)
      }
      expect(failed.length, failed.join('; ')).toBeLessThanOrEqual(policy.shares === 'exact' ? 0 : most)
    })
  },
)

const UNEQUAL = [
  [1, 1, 1, 1, 10],
  [1, 3],
  [2, 3],
  [1, 2, 3],
  [1, 100],
  [30, 30, 1],
  [2, 2, 5, 30],
].map((weights) => ({ weights, title: weights.join('-') }))

describe.each(['weighted_round_robin', 'weighted_random'])(
  'the verdict after the needed number of calls, under %s',
  (name) => {
    const { shares } = findPolicy(name)

    /** The number of failed verdicts among `runs` runs, in which `policy` picks for the needed number of calls. */
    function failures(weights: readonly number[], policy: string, runs: number): number {
      const rng = seeded(7)
      const chooser = chooserOf<number>(findPolicy(policy), { random: rng })
      for (const [id, weight] of weights.entries()) chooser.join(id, weight)
      const ledgerOf = (calls: number) => {
        const ledger = new ShareLedger()
        ledger.rotate(new Map(weights.map((weight, id) => [String(id), weight])))
        for (let call = 0; call < calls; call++) ledger.pick(String(chooser.choose()))
        return ledger
      }
      const needed = judge(ledgerOf(1), shares, rng).neededCalls ?? 0
      expect(needed).toBeGreaterThan(1)
      const results = Array.from({ length: runs }, () => judge(ledgerOf(needed), shares, rng).result)
      expect(results).not.toContain('inconclusive')
      return results.filter((result) => result === 'fail').length
    }

    it.each(UNEQUAL)(
      '$title: fails for round_robin, which ignores weights, whichever endpoint it starts with',
      ({ weights }) => {
        expect(failures(weights, 'round_robin', 20)).toBe(20)
      },
    )

    it('fails in 99 % of the runs for random, which ignores weights', () => {
      const failed = UNEQUAL.map(({ weights }) => failures(weights, 'random', 1_000))
      // The rate of 1,000 runs is accurate to 0.9 % (three standard errors), and the rate of all runs to 0.36 %.
      expect(Math.min(...failed), failed.join()).toBeGreaterThanOrEqual(981)
      const sum = failed.reduce((total, runs) => total + runs, 0)
      expect(sum / UNEQUAL.length, failed.join()).toBeGreaterThanOrEqual(990)
    })
  },
)

it.each(PROMISING.map((policy) => [policy.name, policy] as const))(
  'a weight change and a removed endpoint midway do not make the verdict fail on correct picks: %s',
  (_, policy) => {
    for (const change of CHANGES.slice(0, 2)) {
      expect(change(policy, seeded(11)).judge()).toMatchObject({ result: 'pass', alternative: null })
    }
  },
)
