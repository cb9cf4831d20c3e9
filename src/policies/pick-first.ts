import { withoutParameters } from './parameters.js'
import type { Chooser, Environment } from './policy.js'

/**
 * Sends all calls to the first endpoint of the list that is in rotation, until it leaves. An endpoint that joins later
 * does not take over, even if it is earlier in the list: a change of endpoint would lose the caches that the current
 * one has filled.
 */
export const pickFirst = withoutParameters({
  name: 'pick_first',
  shortName: 'pick_first',
  weighted: false,
  shares: 'none',
  create: (environment) => new PickFirst(environment),
})

class PickFirst<Candidate> implements Chooser<Candidate> {
  private readonly members = new Set<Candidate>()
  private current: Candidate | null = null

  constructor(private readonly environment: Pick<Environment<Candidate>, 'rank'>) {}

  get size(): number {
    return this.members.size
  }

  join(candidate: Candidate): void {
    this.members.add(candidate)
  }

  reweigh(): void {
    // Every weight above 0 is eligible.
  }

  leave(candidate: Candidate): void {
    this.members.delete(candidate)
    if (this.current === candidate) this.current = null
  }

  choose(): Candidate | null {
    this.current ??= this.first()
    return this.current
  }

  private first(): Candidate | null {
    let first: Candidate | null = null
    for (const member of this.members) {
      if (first === null || this.environment.rank(member) < this.environment.rank(first)) first = member
    }
    return first
  }
}
