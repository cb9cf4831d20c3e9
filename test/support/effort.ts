import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** The number of repetitions in tests, set by `vitest.config.ts` for each project. */
    readonly effort: 'quick' | 'long'
  }
}

/** The number of repetitions in `npm test`, and in `npm run test:long`. */
export function rounds({ quick, long }: { readonly quick: number; readonly long: number }): number {
  return inject('effort') === 'long' ? long : quick
}
