import { connectivityState } from '@grpc/grpc-js'
import type { Child } from './child.js'

/**
 * Counts the children that could be picked (weight > 0) by how their connections stand. Every change costs O(1):
 * thousands that connect, or lose their connections, change their state together.
 */
export class Census {
  private readonly servable = new Set<Child>()
  private readonly failing = new Set<Child>()

  /** Whether a child that could be picked is READY or on its way there. */
  get hasHope(): boolean {
    return this.failing.size < this.servable.size
  }

  place(child: Child): void {
    if (child.endpoint.weight === 0) {
      this.remove(child)
      return
    }
    this.servable.add(child)
    if (child.state === connectivityState.TRANSIENT_FAILURE) this.failing.add(child)
    else this.failing.delete(child)
  }

  remove(child: Child): void {
    this.servable.delete(child)
    this.failing.delete(child)
  }

  /** Some of those that fail, for a message. */
  examples(most: number): Child[] {
    const some: Child[] = []
    for (const child of this.failing) {
      if (some.length === most) break
      some.push(child)
    }
    return some
  }

  get size(): number {
    return this.servable.size
  }
}
