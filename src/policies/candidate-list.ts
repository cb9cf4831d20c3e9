/**
 * The candidates in rotation, at places 0 to size - 1 without gaps. The last candidate takes the place of one that
 * leaves, so joining and leaving cost O(1).
 */
export class CandidateList<Candidate> {
  readonly members: Candidate[] = []
  readonly weights: number[] = []
  private readonly places = new Map<Candidate, number>()

  get size(): number {
    return this.members.length
  }

  placeOf(candidate: Candidate): number | undefined {
    return this.places.get(candidate)
  }

  join(candidate: Candidate, weight: number): void {
    this.places.set(candidate, this.members.length)
    this.members.push(candidate)
    this.weights.push(weight)
  }

  reweigh(candidate: Candidate, weight: number): void {
    const place = this.places.get(candidate)
    if (place !== undefined) this.weights[place] = weight
  }

  leave(candidate: Candidate): void {
    const place = this.places.get(candidate)
    if (place === undefined) return
    this.places.delete(candidate)
    const last = this.members.pop() as Candidate
    const weight = this.weights.pop() ?? 0
    if (last === candidate) return
    this.members[place] = last
    this.weights[place] = weight
    this.places.set(last, place)
  }
}
