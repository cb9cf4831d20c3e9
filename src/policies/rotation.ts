import type { Chooser, Environment, Policy } from './policy.js'

/** A member of a balancer: an endpoint and whether it is READY. */
export interface RotationMember<Weighted extends { readonly weight: number }> {
  /** The endpoint with its weight, at least 0. An endpoint of weight 0 is drained. */
  readonly endpoint: Weighted
  readonly isReady: boolean
}

/** A member that was added, removed or reweighed in the rotation. */
export interface PlaceChange<Weighted> {
  readonly endpoint: Weighted
  /** The new weight for the policy; 0 for a member that is no longer picked. */
  readonly weight: number
  /**
   * Whether the member is out of rotation only because it is not READY. The policy keeps its state until it is READY
   * again.
   */
  readonly isAway: boolean
}

/**
 * The rotation: members that are READY and not drained, with their weights. Passes changes to the policy, each in
 * O(1) besides the policy's own cost. A member that is temporarily not READY keeps its place in the policy: a
 * reconnect is not a leave.
 */
export class Rotation<Weighted extends { readonly weight: number }, One extends RotationMember<Weighted>> {
  readonly chooser: Chooser<One>
  private readonly weights = new Map<One, number>()
  /** Members that are out of rotation until they are READY again. */
  private readonly away = new Set<One>()
  /** Members that have changed since the last `takeChanges`, with their endpoints. */
  private changed = new Map<One, Weighted>()

  constructor(
    readonly policy: Policy,
    environment: Environment<One>,
  ) {
    this.chooser = policy.create<One>(environment)
  }

  get size(): number {
    return this.weights.size
  }

  /** Adds, reweighs, suspends or removes a member, according to its weight and whether it is READY. */
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

  /** The changes since the last call; null if there are none. */
  takeChanges(): readonly PlaceChange<Weighted>[] | null {
    if (this.changed.size === 0) return null
    const changes = [...this.changed].map(([member, endpoint]) => ({
      endpoint,
      weight: this.weightOf(this.weights.get(member) ?? 0),
      isAway: this.away.has(member),
    }))
    this.changed = new Map()
    return changes
  }

  /** All members in rotation, with the weights that the policy uses. */
  all(): Map<Weighted, number> {
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
