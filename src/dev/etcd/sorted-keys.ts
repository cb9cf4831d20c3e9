/**
 * One key (`end` undefined), every key from `key` on (`end` empty), or `[key, end)`. A range with an `end` at or
 * below `key` is empty. Keys are latin1 text, so that `<` orders them by their bytes.
 */
export interface KeyRange {
  readonly key: string
  readonly end: string | undefined
}

/**
 * Converts a key and a range_end to a range. `asSent` keeps an explicit empty range_end, which means "every key from
 * `key` on". `asLogged` treats it as absent, as etcd does in writes: the raft log omits empty fields.
 */
export type RangeRule = (key: string, rangeEnd: string | undefined) => KeyRange

export const asSent: RangeRule = (key, rangeEnd) => ({ key, end: rangeEnd === '\0' ? '' : rangeEnd })

export const asLogged: RangeRule = (key, rangeEnd) => asSent(key, rangeEnd === '' ? undefined : rangeEnd)

export function contains(range: KeyRange, key: string): boolean {
  if (range.end === undefined) return key === range.key
  return key >= range.key && (range.end === '' || key < range.end)
}

/**
 * Maximum number of items in a chunk. Inserting moves at most this many references, and a chunk is found by binary
 * search: 100,000 keys are 200 to 400 chunks.
 */
const CHUNK_LIMIT = 512

/** Items in the order of their keys. Insertion, removal and the start of a range are O(log n + chunk). */
export class SortedKeys<Item extends { readonly key: string }> {
  private readonly chunks: Item[][] = [[]]

  /** The key must not be present yet. */
  insert(item: Item): void {
    const at = this.chunkFor(item.key)
    const chunk = this.chunks[at] ?? []
    chunk.splice(lowerBound(chunk, item.key), 0, item)
    if (chunk.length > CHUNK_LIMIT) this.chunks.splice(at + 1, 0, chunk.splice(CHUNK_LIMIT / 2))
  }

  /** Removes a key. Has no effect if it is absent. */
  remove(key: string): void {
    const at = this.chunkFor(key)
    const chunk = this.chunks[at] ?? []
    const index = lowerBound(chunk, key)
    if (chunk[index]?.key !== key) return
    chunk.splice(index, 1)
    if (chunk.length === 0 && this.chunks.length > 1) this.chunks.splice(at, 1)
  }

  /** The items of a range, in order. */
  between(range: KeyRange): Item[] {
    const end = range.end ?? `${range.key}\0`
    const found: Item[] = []
    for (let at = this.chunkFor(range.key); at < this.chunks.length; at++) {
      const chunk = this.chunks[at] ?? []
      const from = lowerBound(chunk, range.key)
      const to = end === '' ? chunk.length : lowerBound(chunk, end)
      for (let index = from; index < to; index++) {
        const item = chunk[index]
        if (item !== undefined) found.push(item)
      }
      if (to < chunk.length) break
    }
    return found
  }

  all(): Item[] {
    return this.chunks.flat()
  }

  /** The last chunk with a first key at or below `key`; otherwise the first chunk. */
  private chunkFor(key: string): number {
    let low = 0
    let high = this.chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const first = this.chunks[middle]?.[0]
      if (first !== undefined && first.key <= key) low = middle + 1
      else high = middle
    }
    return Math.max(low - 1, 0)
  }
}

/** The index of the first item with a key at or above `key`. */
function lowerBound(items: ReadonlyArray<{ readonly key: string }>, key: string): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = items[middle]
    if (item !== undefined && item.key < key) low = middle + 1
    else high = middle
  }
  return low
}
