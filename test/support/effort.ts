import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** How often a test repeats itself: `vitest.config.ts` sets it for each project. */
    readonly effort: 'quick' | 'long'
  }
}

/** The number of repetitions in `npm test`, and in `npm run test:long`. */
export function rounds({ quick, long }: { readonly quick: number; readonly long: number }): number {
  return inject('effort') === 'long' ? long : quick
}
