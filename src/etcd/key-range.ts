import type { Revision } from '../domain/endpoint.js'
import { keyBytes } from '../domain/key-text.js'

/** The keys from `key` (inclusive) to `range_end` (exclusive); only `key` if there is no `range_end`. */
export interface KeyRange {
  readonly key: Buffer
  readonly range_end?: Buffer
}

/** A range to be listed. */
export interface RangeAt extends KeyRange {
  /** The list is as of this revision; by default, as of the newest. */
  readonly revision?: Revision
}

export function oneKey(key: string): KeyRange {
  return { key: keyBytes(key) }
}

/**
 * The range of all keys with a prefix. To get its end, trailing 0xff bytes of the prefix are removed and the last
 * remaining byte is incremented. If no byte remains, the range is all keys: etcd's notation is `\0` for both ends.
 */
export function prefixRange(prefix: string): KeyRange {
  const key = keyBytes(prefix)
  const last = key.findLastIndex((byte) => byte < 0xff)
  if (last < 0) return { key: Buffer.from([0]), range_end: Buffer.from([0]) }
  const end = Buffer.from(key.subarray(0, last + 1))
  end[last] = (end[last] ?? 0) + 1
  return { key, range_end: end }
}

/** The smallest key that is greater than `key`. */
export function keyAfter(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])])
}
