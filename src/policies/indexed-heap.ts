/** A heap's member knows its own place, so that it can be moved or taken out in O(log n). */
export interface HeapMember {
  /** Written by the heap that holds it: its index there. */
  place: number
}

/** A binary min-heap over an order; a member is in one heap at most. */
export class IndexedHeap<Member extends HeapMember> {
  private readonly members: Member[] = []

  constructor(private readonly isBefore: (a: Member, b: Member) => boolean) {}

  get first(): Member | undefined {
    return this.members[0]
  }

  holds(member: Member): boolean {
    return this.members[member.place] === member
  }

  push(member: Member): void {
    this.settle(member, this.members.push(member) - 1)
  }

  remove(member: Member): void {
    const hole = member.place
    const last = this.members.pop()
    if (last === undefined || last === member) return
    this.settle(last, hole)
  }

  /** Puts a member at an index that is free for it, then lets it rise or sink to where it belongs. */
  private settle(member: Member, index: number): void {
    let at = index
    while (at > 0) {
      const parent = this.members[(at - 1) >> 1]
      if (parent === undefined || !this.isBefore(member, parent)) break
      this.put(parent, at)
      at = (at - 1) >> 1
    }
    for (;;) {
      const child = this.lesserChild(at)
      if (child === undefined || !this.isBefore(child, member)) break
      const place = child.place
      this.put(child, at)
      at = place
    }
    this.put(member, at)
  }

  private lesserChild(at: number): Member | undefined {
    const left = this.members[2 * at + 1]
    const right = this.members[2 * at + 2]
    if (left === undefined || right === undefined) return left
    return this.isBefore(right, left) ? right : left
  }

  private put(member: Member, at: number): void {
    this.members[at] = member
    member.place = at
  }
}
