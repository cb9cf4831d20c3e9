import { describe, expect, it } from 'vitest'
import { fuzz } from './fuzz.js'

/** A few operations in every run; `fuzz.long.test.ts` and `npm run fuzz` try more. */
const SEEDS = [101, 102]
const OPERATIONS_PER_SEED = 2_000

describe.concurrent('random operations are answered by the dev registry as by etcd', () => {
  it.for(SEEDS)('seed %i', async (seed) => {
    const { difference, operations } = await fuzz(seed, OPERATIONS_PER_SEED)
    expect(difference).toBeUndefined()
    expect(operations).toBeGreaterThanOrEqual(OPERATIONS_PER_SEED)
  })
})
