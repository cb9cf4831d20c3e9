import type { Endpoint } from '../domain/endpoint.js'
import type { PlannedWeights } from '../domain/share-plan.js'

/** The weights to restore after a shift in steps. `leftOut` and `insteadOfZero`: see `RestoreResult`. */
export interface RestorePlan {
  readonly weights: PlannedWeights
  readonly leftOut: readonly Endpoint[]
  readonly insteadOfZero: number | null
}

/** The weights of a shift in steps, by key: those before the first step, and those that its steps have written. */
export class StepWeights {
  private readonly original = new Map<string, number>()
  /** All keys of the service, if all had weight 0 before the first step, so that the endpoints counted as equal. */
  private unset: ReadonlySet<string> = new Set()
  private last: ReadonlyMap<string, number> = new Map()
  /** The weights of a step whose outcome is unknown. */
  private unconfirmed: PlannedWeights = new Map()

  /** Whether a step has written weights, or may have. */
  get hasWritten(): boolean {
    return this.original.size > 0
  }

  /** The weights that the last completed step has written; empty before it. */
  get lastStep(): ReadonlyMap<string, number> {
    return this.last
  }

  /** Records a completed step. @param before the endpoints of the service before the step */
  addStep(before: readonly Endpoint[], weights: ReadonlyMap<string, number>): void {
    this.keepOriginal(before)
    this.last = weights
    this.unconfirmed = new Map()
  }

  /** Records a step whose outcome is unknown, because etcd's answer was lost. */
  addUnconfirmedStep(before: readonly Endpoint[], weights: PlannedWeights): void {
    this.keepOriginal(before)
    this.unconfirmed = weights
  }

  /** @param endpoints the current endpoints of the service */
  restorePlan(endpoints: readonly Endpoint[]): RestorePlan {
    const usable = endpoints.filter(({ problem }) => problem === null)
    const isOurs = (endpoint: Endpoint) => this.original.has(endpoint.key) && !this.isChanged(endpoint)
    const [ours, leftOut] = [usable.filter(isOurs), usable.filter((endpoint) => !isOurs(endpoint))]
    const weights = new Map(ours.map(({ key }) => [key, this.original.get(key) ?? 0]))
    const zeros = [...weights.keys()].filter((key) => this.unset.has(key))
    const most = Math.max(0, ...leftOut.map(({ weight }) => weight), ...weights.values())
    if (zeros.length === 0 || most === 0) return { weights, leftOut, insteadOfZero: null }
    for (const key of zeros) weights.set(key, most)
    return { weights, leftOut, insteadOfZero: most }
  }

  /** Whether all endpoints have the weights from before the first step. */
  areOriginal(usable: readonly Endpoint[]): boolean {
    return usable.every(({ key, weight }) => (this.original.get(key) ?? weight) === weight)
  }

  /** Whether all endpoints have the weights of the last completed step. */
  areOfLastStep(usable: readonly Endpoint[]): boolean {
    return usable.every(({ key, weight }) => (this.last.get(key) ?? weight) === weight)
  }

  /** Whether the endpoint's weight is not one that a step wrote: another client has changed it. */
  private isChanged({ key, weight }: Endpoint): boolean {
    const written = [this.last.get(key), this.unconfirmed.get(key)].filter((own) => own !== undefined)
    return written.length > 0 && !written.includes(weight)
  }

  private keepOriginal(before: readonly Endpoint[]): void {
    const usable = before.filter(({ problem }) => problem === null)
    if (!this.hasWritten && usable.every(({ weight }) => weight === 0)) {
      this.unset = new Set(usable.map(({ key }) => key))
    }
    for (const { key, weight } of usable) if (!this.original.has(key)) this.original.set(key, weight)
  }
}
