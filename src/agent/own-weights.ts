import type { Endpoint } from '../domain/endpoint.js'
import type { PlannedWeights } from '../domain/share-plan.js'

/** The weights to restore, and the endpoints whose weight stays. */
export interface RestorePlan {
  readonly weights: PlannedWeights
  readonly leftOut: readonly Endpoint[]
  readonly insteadOfZero: number | null
}

/** The weights of a shift in steps, by key: the original ones, and those that its steps have written. */
export class OwnWeights {
  private readonly original = new Map<string, number>()
  /** Keys of a service that had no weights: all endpoints counted as equal. */
  private unset: ReadonlySet<string> = new Set()
  private last: ReadonlyMap<string, number> = new Map()
  /** The weights of a step whose outcome is unknown. */
  private maybe: PlannedWeights = new Map()

  /** Whether there may be something to restore. */
  get hasWritten(): boolean {
    return this.original.size > 0
  }

  get lastStep(): ReadonlyMap<string, number> {
    return this.last
  }

  /** Records a completed step. @param before the endpoints before it */
  made(before: readonly Endpoint[], weights: ReadonlyMap<string, number>): void {
    this.keepOriginal(before)
    this.last = weights
    this.maybe = new Map()
  }

  /** Records a step whose outcome is unknown. */
  mayHaveMade(before: readonly Endpoint[], weights: PlannedWeights): void {
    this.keepOriginal(before)
    this.maybe = weights
  }

  /** @param endpoints the current endpoints of the service */
  restorePlan(endpoints: readonly Endpoint[]): RestorePlan {
    const usable = endpoints.filter(({ problem }) => problem === null)
    const isOurs = (endpoint: Endpoint) => this.original.has(endpoint.key) && !this.isChanged(endpoint)
    const [kept, leftOut] = [usable.filter(isOurs), usable.filter((endpoint) => !isOurs(endpoint))]
    const weights = new Map(kept.map(({ key }) => [key, this.original.get(key) ?? 0]))
    const zeros = [...weights.keys()].filter((key) => this.unset.has(key))
    const most = Math.max(0, ...leftOut.map(({ weight }) => weight), ...weights.values())
    if (zeros.length === 0 || most === 0) return { weights, leftOut, insteadOfZero: null }
    for (const key of zeros) weights.set(key, most)
    return { weights, leftOut, insteadOfZero: most }
  }

  areOriginal(usable: readonly Endpoint[]): boolean {
    return usable.every(({ key, weight }) => (this.original.get(key) ?? weight) === weight)
  }

  areOfLastStep(usable: readonly Endpoint[]): boolean {
    return usable.every(({ key, weight }) => (this.last.get(key) ?? weight) === weight)
  }

  /** Whether another client has changed the endpoint's weight. */
  private isChanged({ key, weight }: Endpoint): boolean {
    const ours = [this.last.get(key), this.maybe.get(key)].filter((own) => own !== undefined)
    return ours.length > 0 && !ours.includes(weight)
  }

  private keepOriginal(before: readonly Endpoint[]): void {
    const usable = before.filter(({ problem }) => problem === null)
    if (!this.hasWritten && usable.every(({ weight }) => weight === 0)) {
      this.unset = new Set(usable.map(({ key }) => key))
    }
    for (const { key, weight } of usable) if (!this.original.has(key)) this.original.set(key, weight)
  }
}
