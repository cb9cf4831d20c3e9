import { describe, expect, it } from 'vitest'
import { fuzz } from './fuzz.js'

/** A short test for every run. `fuzz.long.test.ts` and `npm run fuzz` run more operations. */
const SEEDS = [101, 102]
const OPERATIONS_PER_SEED = 2_000

describe.concurrent('the dev registry answers random operations like etcd', () => {
  it.for(SEEDS)('seed %i', async (seed) => {
    const { difference, operations } = await fuzz(seed, OPERATIONS_PER_SEED)
    expect(difference).toBeUndefined()
    expect(operations).toBeGreaterThanOrEqual(OPERATIONS_PER_SEED)
  })
})
