import type { Moves, PickSimulation, SimulationPlan } from '../../call/pick-simulation.js'
import { roundShare } from '../../domain/documents.js'
import type { Resolution } from '../../grpc/resolver/resolve.js'
import type { ShareRule } from '../../policies/index.js'
import { type SourceDoc, sourceDoc } from '../resolve/document.js'

export interface PickedDoc {
  readonly key: string
  readonly addr: string
  readonly version: string
  readonly weight: number
  readonly picks: number
  /** Share of all picks, from 0 to 1, rounded to four decimals. */
  readonly share: number
  /** Expected picks; null if the policy promises no shares. */
  readonly expected: number | null
  /** `picks` minus `expected`; null if `expected` is. */
  readonly gap: number | null
}

export interface PickDoc extends SourceDoc {
  readonly schema: 'disco.pick/v1'
  readonly policy: string
  readonly parameters: Readonly<Record<string, unknown>>
  readonly shares: ShareRule
  readonly picks: number
  readonly seed: number
  /** Picks for which the policy had no endpoint. */
  readonly refused: number
  /** The largest gap of any endpoint at any moment, in picks; null if the policy promises no shares. */
  readonly gap: number | null
  /** The keys that move to another endpoint if the endpoint `without` leaves; null unless --without names one. */
  readonly moves: (Moves & { readonly without: string }) | null
  readonly endpoints: readonly PickedDoc[]
}

export function pickDoc(
  resolution: Resolution,
  plan: SimulationPlan,
  simulation: PickSimulation,
  moves: PickDoc['moves'],
): PickDoc {
  const { policy, picks, seed } = plan
  return {
    schema: 'disco.pick/v1',
    ...sourceDoc(resolution),
    policy: policy.name,
    parameters: policy.config,
    shares: policy.shares,
    picks,
    seed,
    refused: simulation.refused,
    gap: simulation.largestGap === null ? null : roundGap(simulation.largestGap),
    moves,
    endpoints: simulation.endpoints.map(({ endpoint, picks: picked, expected }) => ({
      key: endpoint.registration.key,
      addr: endpoint.registration.addr,
      version: endpoint.registration.version,
      weight: endpoint.weight,
      picks: picked,
      share: roundShare(picked / picks),
      expected: expected === null ? null : round(expected),
      gap: expected === null ? null : round(picked - expected),
    })),
  }
}

function round(number: number): number {
  return Math.round(number * 1000) / 1000
}

/** Rounding must not turn a gap below one pick into a whole pick. */
function roundGap(gap: number): number {
  return gap < 1 ? Math.min(round(gap), 0.999) : round(gap)
}
