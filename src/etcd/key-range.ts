import { keyBytes } from '../domain/key-text.js'

/** Keys from `key` up to, not including, `range_end`; without one, the key alone. */
export interface KeyRange {
  readonly key: Buffer
  readonly range_end?: Buffer
}

export function oneKey(key: string): KeyRange {
  return { key: keyBytes(key) }
}

/**
 * The range of a prefix: its end is the prefix with its last byte below 0xff incremented, without the bytes that
 * follow.
 */
export function prefixRange(prefix: string): KeyRange {
  const key = keyBytes(prefix)
  const grown = key.findLastIndex((byte) => byte < 0xff)
  if (grown < 0) return { key: Buffer.from([0]), range_end: Buffer.from([0]) }
  const end = Buffer.from(key.subarray(0, grown + 1))
  end[grown] = (end[grown] ?? 0) + 1
  return { key, range_end: end }
}

/** The next key in byte order. */
export function keyAfter(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])])
}
