import type { Tallies } from '../../stats/scope.js'
import type { Verdict } from '../../stats/verdict.js'

export interface VerdictEndpointDoc {
  readonly name: string
  readonly weight: number
  readonly picks: number
  readonly expected: number
}

export interface VerdictDoc {
  readonly schema: 'disco.verdict/v1'
  readonly policy: string
  readonly calls: number
  readonly endpoints: readonly VerdictEndpointDoc[]
  readonly verdict: Verdict
}

export function verdictDoc(
  policy: string,
  weights: ReadonlyMap<string, number>,
  tallies: Tallies,
  verdict: Verdict,
): VerdictDoc {
  const endpoints = [...weights].map(([name, weight]) => {
    const { picks, expected } = tallies.get(name) ?? { picks: 0, expected: 0 }
    return { name, weight, picks, expected: Math.round(expected * 1000) / 1000 }
  })
  const calls = endpoints.reduce((sum, { picks }) => sum + picks, 0)
  return { schema: 'disco.verdict/v1', policy, calls, endpoints, verdict }
}
