import type { Member } from './member.js'

/**
 * Counts the members with weight > 0, and how many of them are failing. A change costs O(1), because thousands of
 * members may connect or disconnect at the same time.
 */
export class StateCounts<One extends Member> {
  private readonly servable = new Set<One>()
  private readonly failing = new Set<One>()

  /** Whether a member with weight > 0 is not failing, that is, READY, connecting or idle. */
  get mayBecomeReady(): boolean {
    return this.failing.size < this.servable.size
  }

  /** Adds a member, or counts it again after its state or weight has changed. */
  update(member: One): void {
    if (member.endpoint.weight === 0) {
      this.remove(member)
      return
    }
    this.servable.add(member)
    if (member.isFailing) this.failing.add(member)
    else this.failing.delete(member)
  }

  remove(member: One): void {
    this.servable.delete(member)
    this.failing.delete(member)
  }

  /** Up to `most` failing members, for a message. */
  examples(most: number): One[] {
    const some: One[] = []
    for (const member of this.failing) {
      if (some.length === most) break
      some.push(member)
    }
    return some
  }

  /** The number of members with weight > 0. */
  get servableCount(): number {
    return this.servable.size
  }
}
