import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** The number of repetitions in tests, set by `vitest.config.ts` for each project. */
    readonly effort: 'quick' | 'long' | 'full'
  }
}

/** The number of repetitions in `npm test`, in `npm run test:long`, and in `EFFORT=full npm run test:long`. */
export function rounds({ quick, long, full = long }: Rounds): number {
  return { quick, long, full }[inject('effort')]
}

interface Rounds {
  readonly quick: number
  readonly long: number
  /** Default: as `long`. */
  readonly full?: number
}
