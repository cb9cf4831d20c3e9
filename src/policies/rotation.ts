import type { Chooser, Environment, Policy } from './policy.js'

/** A candidate with its state, as its owner last saw it. */
export interface Placed<Weighted extends { readonly weight: number }> {
  /** Its weight is at least 0; 0 is drained. */
  readonly endpoint: Weighted
  readonly isReady: boolean
}

/** A change of one member's place in the rotation. */
export interface PlaceChange<Weighted> {
  readonly endpoint: Weighted
  /** The new weight for the policy; 0 for a member that is no longer picked. */
  readonly weight: number
  /** Whether it is merely not READY: the policy keeps its place until it is READY again. */
  readonly isAway: boolean
}

/**
 * The rotation: members that are READY and not drained, with their weights. Passes changes to the policy, each in
 * O(1) besides the policy's own cost. A member that is temporarily not READY keeps its place in the policy: a
 * reconnect is not a leave.
 */
export class Rotation<Weighted extends { readonly weight: number }, One extends Placed<Weighted>> {
  readonly chooser: Chooser<One>
  private readonly weights = new Map<One, number>()
  /** Members that were picked, and will be again when they are READY. */
  private readonly away = new Set<One>()
  /** Members whose place has changed since `takeChanges`, with their endpoints. */
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
