/**
 * Returns a random number from 0 up to, but not including, 1. Only the outermost layer creates one. Tests create a
 * seeded one, which returns the same numbers in each run.
 */
export type Rng = () => number

/**
 * A repeatable sequence of random numbers from a seed: SplitMix32. Good enough to draw endpoints, not for secrets.
 *
 * @example
 * ```ts
 * import { seeded } from 'disco-registry/policies'
 *
 * const rng = seeded(1)
 * const draws = [rng(), rng()]
 * ```
 */
export function seeded(seed: number): Rng {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}
