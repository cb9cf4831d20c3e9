import { connectivityState } from '@grpc/grpc-js'
import type { Chooser, Environment, Policy } from '../../policies/index.js'
import type { RegisteredEndpoint } from '../resolver/endpoint.js'
import type { Child } from './child.js'
import { ownName } from './own-name.js'

/** Who is picked, at which weight: children that are READY and not drained. Tells the policy of changes. */
export class Rotation {
  readonly chooser: Chooser<Child>
  private readonly weights = new Map<Child, number>()
  private isChanged = false

  constructor(readonly policy: Policy) {
    this.chooser = policy.create(ENVIRONMENT)
  }

  get size(): number {
    return this.weights.size
  }

  /** Brings the policy's idea of a child in line with its state and weight. */
  place(child: Child): void {
    const weight = child.state === connectivityState.READY ? child.endpoint.weight : 0
    const before = this.weights.get(child) ?? 0
    if (weight === before) return
    if (weight === 0) {
      this.remove(child)
      return
    }
    if (before === 0) this.chooser.join(child, weight)
    else this.chooser.reweigh(child, weight)
    this.weights.set(child, weight)
    this.isChanged = true
  }

  remove(child: Child): void {
    if (!this.weights.delete(child)) return
    this.chooser.leave(child)
    this.isChanged = true
  }

  /** The weights that the policy follows; null unless they have changed since this was last asked. */
  takeChange(): Map<RegisteredEndpoint, number> | null {
    if (!this.isChanged) return null
    this.isChanged = false
    const weightOf = (weight: number) => (this.policy.weighted ? weight : 1)
    return new Map([...this.weights].map(([child, weight]) => [child.endpoint, weightOf(weight)]))
  }
}

const ENVIRONMENT: Environment<Child> = {
  random: Math.random,
  get clientKey() {
    return ownName()
  },
  id: ({ endpoint }) => endpoint.id,
  names: ({ names }) => names,
  rank: ({ rank }) => rank,
  outstanding: ({ load }) => load.outstanding,
}
