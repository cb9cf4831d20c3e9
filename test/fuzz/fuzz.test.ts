import { describe, expect, it } from 'vitest'
import { fuzz } from './fuzz.js'

/** Enough seeds to meet every option, few enough for every run; `npm run fuzz` tries any others. */
const SEEDS = [101, 102, 103, 104, 105]
const OPERATIONS_PER_SEED = 4200

describe.concurrent('random operations are answered by the dev registry as by etcd', () => {
  it.for(SEEDS)('seed %i', async (seed) => {
    const { difference, operations } = await fuzz(seed, OPERATIONS_PER_SEED)
    expect(difference).toBeUndefined()
    expect(operations).toBeGreaterThanOrEqual(OPERATIONS_PER_SEED)
  })
})
