import { seeded } from '../../src/policies/index.js'
import { weightedRoundRobin } from '../../src/policies/weighted-round-robin.js'
import { chooserOf } from '../support/choosers.js'

const PICKS = 500
const CHANGED = 0.2

const upTo = (most: number) => (random: () => number) => 1 + Math.floor(random() * most)

const WEIGHTS = {
  '1 to 10': upTo(10),
  '1 to 100': upTo(100),
  '1 to 1,000': upTo(1_000),
  'half 1 to 10, half 1 to 1,000': (random: () => number) => upTo(random() < 0.5 ? 10 : 1_000)(random),
} as const

/**
 * Prints how far weighted round robin's counts come from the exact shares, summed pick by pick, when before a
 * fifth of the picks the weight of one candidate is drawn anew: 2 to 30 candidates, 500 picks a run. `npm run bench --
 * gaps RUNS`.
 */
export async function run(): Promise<void> {
  const runs = Number(process.argv[3] ?? 20_000)
  console.log('| weights drawn from | runs | with a candidate a pick behind | most behind | most ahead |')
  console.log('|---|---|---|---|---|')
  for (const [name, draw] of Object.entries(WEIGHTS)) {
    const random = seeded(1)
    let [late, behind, ahead] = [0, 0, 0]
    for (let at = 0; at < runs; at++) {
      const gaps = extremes(draw, random)
      if (gaps.behind >= 1) late++
      behind = Math.max(behind, gaps.behind)
      ahead = Math.max(ahead, gaps.ahead)
    }
    console.log(`| ${name} | ${runs} | ${late} | ${behind.toFixed(3)} | ${ahead.toFixed(3)} |`)
  }
}

/** The largest gaps of one run, at any pick. */
function extremes(draw: (random: () => number) => number, random: () => number) {
  const size = 2 + Math.floor(random() * 29)
  const chooser = chooserOf<number>(weightedRoundRobin)
  const weights = Array.from({ length: size }, () => draw(random))
  for (const [candidate, weight] of weights.entries()) chooser.join(candidate, weight)
  let total = weights.reduce((sum, weight) => sum + weight)
  const gaps = new Float64Array(size)
  let [behind, ahead] = [0, 0]
  for (let pick = 0; pick < PICKS; pick++) {
    if (random() < CHANGED) {
      const candidate = Math.floor(random() * size)
      const weight = draw(random)
      total += weight - (weights[candidate] ?? 0)
      weights[candidate] = weight
      chooser.reweigh(candidate, weight)
    }
    const chosen = chooser.choose()
    for (let at = 0; at < size; at++) {
      const gap = (gaps[at] ?? 0) + (weights[at] ?? 0) / total - (at === chosen ? 1 : 0)
      gaps[at] = gap
      if (gap > behind) behind = gap
      if (-gap > ahead) ahead = -gap
    }
  }
  return { behind, ahead }
}
