/**
 * A binary min-heap of slots (small whole numbers) by a key, in flat arrays: it allocates only when it grows. A slot is
 * in the heap at most once, and can be removed from any position in O(log n). If keys are equal, the smaller slot comes
 * first.
 *
 * Every index below is less than `size` or is a slot that was pushed, hence `as number`.
 */
export class SlotHeap {
  private keys = new Float64Array(8)
  private slots = new Int32Array(8)
  /** The index of each slot in the heap; -1 if it is not in the heap. */
  private places = new Int32Array(8).fill(-1)
  private count = 0

  get size(): number {
    return this.count
  }

  /** The least key. Requires a non-empty heap. */
  get firstKey(): number {
    return this.keys[0] as number
  }

  /** The slot of the least key. Requires a non-empty heap. */
  get firstSlot(): number {
    return this.slots[0] as number
  }

  holds(slot: number): boolean {
    return (this.places[slot] ?? -1) >= 0
  }

  push(slot: number, key: number): void {
    if (this.count === this.keys.length) this.growMembers()
    if (slot >= this.places.length) this.growPlaces(slot)
    this.rise(this.count++, slot, key)
  }

  pop(): void {
    this.places[this.firstSlot] = -1
    const last = --this.count
    if (last > 0) this.sink(0, this.slots[last] as number, this.keys[last] as number)
  }

  /** Equivalent to `remove` and `push` of a contained slot, with a key that is not less. */
  delay(slot: number, key: number): void {
    this.sink(this.places[slot] as number, slot, key)
  }

  remove(slot: number): void {
    if (!this.holds(slot)) return
    const hole = this.places[slot] as number
    this.places[slot] = -1
    const last = --this.count
    if (hole === last) return
    const lastSlot = this.slots[last] as number
    const lastKey = this.keys[last] as number
    if (hole > 0 && isBefore(lastKey, lastSlot, this.keys, this.slots, (hole - 1) >> 1)) {
      this.rise(hole, lastSlot, lastKey)
    } else this.sink(hole, lastSlot, lastKey)
  }

  /** Gives each slot a new key. The new keys must be in the same order as the old ones. */
  rekey(keyOf: (slot: number) => number): void {
    for (let at = 0; at < this.count; at++) this.keys[at] = keyOf(this.slots[at] as number)
  }

  private rise(from: number, slot: number, key: number): void {
    const { keys, slots } = this
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(key, slot, keys, slots, parent)) break
      this.put(at, slots[parent] as number, keys[parent] as number)
      at = parent
    }
    this.put(at, slot, key)
  }

  private sink(from: number, slot: number, key: number): void {
    const { keys, slots, count } = this
    let at = from
    for (let child = 2 * at + 1; child < count; child = 2 * at + 1) {
      const right = child + 1
      if (right < count && isBefore(keys[right] as number, slots[right] as number, keys, slots, child))
        child = right
      if (isBefore(key, slot, keys, slots, child)) break
      this.put(at, slots[child] as number, keys[child] as number)
      at = child
    }
    this.put(at, slot, key)
  }

  private put(at: number, slot: number, key: number): void {
    this.keys[at] = key
    this.slots[at] = slot
    this.places[slot] = at
  }

  private growMembers(): void {
    const keys = new Float64Array(this.keys.length * 2)
    const slots = new Int32Array(keys.length)
    keys.set(this.keys)
    slots.set(this.slots)
    this.keys = keys
    this.slots = slots
  }

  private growPlaces(slot: number): void {
    const places = new Int32Array(2 ** Math.ceil(Math.log2(slot + 1))).fill(-1)
    places.set(this.places)
    this.places = places
  }
}

function isBefore(key: number, slot: number, keys: Float64Array, slots: Int32Array, other: number): boolean {
  const otherKey = keys[other] as number
  return key < otherKey || (key === otherKey && slot < (slots[other] as number))
}
