import { hostname, networkInterfaces } from 'node:os'
import type { Chooser, Environment, Policy } from '../../policies/index.js'
import type { RegisteredEndpoint } from '../resolver/endpoint.js'
import type { RotationChange } from '../resolver/observer.js'
import type { Member } from './member.js'

/**
 * The rotation: members that are READY and not drained, with their weights. Passes changes to the policy, each in
 * O(1) besides the policy's own cost. A member that is temporarily not READY keeps its place in the policy: a
 * reconnect is not a leave.
 */
export class Rotation<One extends Member> {
  readonly chooser: Chooser<One>
  private readonly weights = new Map<One, number>()
  /** Members that were picked, and will be again when they are READY. */
  private readonly away = new Set<One>()
  /** Members whose place has changed since `takeChanges`, with their endpoints. */
  private changed = new Map<One, RegisteredEndpoint>()

  constructor(readonly policy: Policy) {
    this.chooser = policy.create<One>(ENVIRONMENT)
  }

  get size(): number {
    return this.weights.size
  }

  /** Brings the policy's idea of a member in line with its state and weight. */
  place(member: One): void {
    const { weight } = member.endpoint
    if (weight === 0) this.remove(member)
    else if (member.isReady) this.put(member, weight)
    else this.suspend(member)
  }

  remove(member: One): void {
    const wasKnown = this.away.delete(member) || this.weights.delete(member)
    if (!wasKnown) return
    this.chooser.leave(member)
    this.changed.set(member, member.endpoint)
  }

  /** The member's outstanding calls have changed. */
  recount(member: One): void {
    this.chooser.recount?.(member)
  }

  /** The changes since the last call; null for none. */
  takeChanges(): readonly RotationChange[] | null {
    if (this.changed.size === 0) return null
    const changes = [...this.changed].map(([member, endpoint]) => ({
      endpoint,
      weight: this.weightOf(this.weights.get(member) ?? 0),
      isAway: this.away.has(member),
    }))
    this.changed = new Map()
    return changes
  }

  /** All children in rotation, with the weights that the policy uses. */
  all(): Map<RegisteredEndpoint, number> {
    return new Map([...this.weights].map(([member, weight]) => [member.endpoint, this.weightOf(weight)]))
  }

  private put(member: One, weight: number): void {
    const before = this.weights.get(member)
    if (before === weight) return
    if (before !== undefined) this.chooser.reweigh(member, weight)
    else if (this.away.delete(member) && this.chooser.resume) this.chooser.resume(member, weight)
    else this.chooser.join(member, weight)
    this.weights.set(member, weight)
    this.changed.set(member, member.endpoint)
  }

  private suspend(member: One): void {
    if (!this.weights.delete(member)) return
    this.away.add(member)
    if (this.chooser.suspend) this.chooser.suspend(member)
    else this.chooser.leave(member)
    this.changed.set(member, member.endpoint)
  }

  private weightOf(weight: number): number {
    return this.policy.weighted ? weight : Math.min(weight, 1)
  }
}

const ENVIRONMENT: Environment<Member> = {
  random: Math.random,
  get clientKey() {
    return ownName()
  },
  id: ({ endpoint }) => endpoint.id,
  names: ({ names }) => names,
  rank: ({ rank }) => rank,
  outstanding: ({ outstanding }) => outstanding.count,
}

/** Identity of this client: its first address that is not loopback, or its host name. */
export function ownName(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((some) => some ?? [])
  return addresses.find(({ internal }) => !internal)?.address ?? hostname()
}
