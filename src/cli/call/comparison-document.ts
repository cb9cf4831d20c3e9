import type { CallDoc } from './document.js'

/** The same load under several policies, one after the other. */
export interface ComparisonDoc {
  readonly schema: 'disco.comparison/v1'
  readonly service: string
  readonly method: string
  readonly runs: readonly CallDoc[]
}

export function comparisonDoc(service: string, method: string, runs: readonly CallDoc[]): ComparisonDoc {
  return { schema: 'disco.comparison/v1', service, method, runs }
}
