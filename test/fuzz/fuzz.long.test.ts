import { describe, expect, it } from 'vitest'
import { rounds } from '../support/effort.js'
import { fuzz } from './fuzz.js'

const SEEDS = [101, 102, 103, 104, 105]
const OPERATIONS_PER_SEED = rounds({ quick: 8_000, long: 8_000, full: 20_000 })
const DEADLINE_MS = 600_000

describe.concurrent('the dev registry answers random operations like etcd', () => {
  it.for(SEEDS)('seed %i', { timeout: DEADLINE_MS }, async (seed) => {
    const { difference, operations } = await fuzz(seed, OPERATIONS_PER_SEED)
    expect(difference).toBeUndefined()
    expect(operations).toBeGreaterThanOrEqual(OPERATIONS_PER_SEED)
  })
})
