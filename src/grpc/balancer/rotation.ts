import { hostname, networkInterfaces } from 'node:os'
import { connectivityState } from '@grpc/grpc-js'
import type { Chooser, Environment, Policy } from '../../policies/index.js'
import type { RegisteredEndpoint } from '../resolver/endpoint.js'
import type { RotationChange } from '../resolver/observer.js'
import type { Child } from './child.js'

/**
 * Who is picked, at which weight: children that are READY and not drained. Tells the policy of changes, each in
 * O(1) beside what the policy itself takes. A child that is only not READY keeps its place in the policy: a
 * reconnect is not a leave.
 */
export class Rotation {
  readonly chooser: Chooser<Child>
  private readonly weights = new Map<Child, number>()
  /** Children that were picked, and will be again when they are READY. */
  private readonly away = new Set<Child>()
  /** Children whose place has changed since `takeChanges`, with their endpoints. */
  private changed = new Map<Child, RegisteredEndpoint>()

  constructor(readonly policy: Policy) {
    this.chooser = policy.create(ENVIRONMENT)
  }

  get size(): number {
    return this.weights.size
  }

  /** Brings the policy's idea of a child in line with its state and weight. */
  place(child: Child): void {
    const { weight } = child.endpoint
    if (weight === 0) this.remove(child)
    else if (child.state === connectivityState.READY) this.put(child, weight)
    else this.suspend(child)
  }

  remove(child: Child): void {
    const wasKnown = this.away.delete(child) || this.weights.delete(child)
    if (!wasKnown) return
    this.chooser.leave(child)
    this.changed.set(child, child.endpoint)
  }

  /** The child's outstanding calls have changed. */
  recount(child: Child): void {
    this.chooser.recount?.(child)
  }

  /** What has changed since this was last asked; null for nothing. */
  takeChanges(): readonly RotationChange[] | null {
    if (this.changed.size === 0) return null
    const changes = [...this.changed].map(([child, endpoint]) => ({
      endpoint,
      weight: this.weightOf(this.weights.get(child) ?? 0),
      isAway: this.away.has(child),
    }))
    this.changed = new Map()
    return changes
  }

  /** All that are picked, with the weights that the policy follows. */
  all(): Map<RegisteredEndpoint, number> {
    return new Map([...this.weights].map(([child, weight]) => [child.endpoint, this.weightOf(weight)]))
  }

  private put(child: Child, weight: number): void {
    const before = this.weights.get(child)
    if (before === weight) return
    if (before !== undefined) this.chooser.reweigh(child, weight)
    else if (this.away.delete(child) && this.chooser.resume) this.chooser.resume(child, weight)
    else this.chooser.join(child, weight)
    this.weights.set(child, weight)
    this.changed.set(child, child.endpoint)
  }

  private suspend(child: Child): void {
    if (!this.weights.delete(child)) return
    this.away.add(child)
    if (this.chooser.suspend) this.chooser.suspend(child)
    else this.chooser.leave(child)
    this.changed.set(child, child.endpoint)
  }

  private weightOf(weight: number): number {
    return this.policy.weighted ? weight : Math.min(weight, 1)
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
  outstanding: ({ outstanding }) => outstanding.count,
}

/** Identity of this client: its first address that is not loopback, or its host's name. */
export function ownName(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((some) => some ?? [])
  return addresses.find(({ internal }) => !internal)?.address ?? hostname()
}
