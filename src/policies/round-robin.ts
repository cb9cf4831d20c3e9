import { withoutParameters } from './parameters.js'
import type { Chooser } from './policy.js'

export const roundRobin = withoutParameters({
  ...{ name: 'round_robin', shortName: 'rr', weighted: false, shares: 'exact' },
  create: () => new RoundRobin(),
})

/** Each in turn. A newcomer is served after everyone who was there; a leaver does not move the turn. */
class RoundRobin<Candidate> implements Chooser<Candidate> {
  private readonly ring: Candidate[] = []
  private next = 0

  get size(): number {
    return this.ring.length
  }

  join(candidate: Candidate): void {
    this.ring.splice(this.next, 0, candidate)
    this.next = (this.next + 1) % this.ring.length
  }

  reweigh(): void {
    // Every weight above 0 is the same turn.
  }

  leave(candidate: Candidate): void {
    const at = this.ring.indexOf(candidate)
    if (at < 0) return
    this.ring.splice(at, 1)
    if (at < this.next) this.next--
    if (this.next >= this.ring.length) this.next = 0
  }

  choose(): Candidate | null {
    const chosen = this.ring[this.next]
    if (chosen === undefined) return null
    this.next = this.next + 1 === this.ring.length ? 0 : this.next + 1
    return chosen
  }
}
