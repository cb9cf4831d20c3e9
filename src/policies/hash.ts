/** FNV-1a's offset basis and prime, for 32 bits. */
const FNV_BASIS = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** Basis of the second hash. With a different basis, FNV-1a gives an independent hash. */
const OTHER_BASIS = 0x2f0b4c47

/** An unsigned 32-bit hash of a text, the same in every process: FNV-1a over its UTF-16 code units, then mixed. */
export function hash32(text: string, basis = FNV_BASIS): number {
  let hash = basis
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME)
  return mix(hash)
}

/** An endless sequence of unsigned 32-bit numbers derived from a text. The returned function takes an index from 0. */
export function pointsOf(text: string): (index: number) => number {
  const start = hash32(text)
  const step = hash32(text, OTHER_BASIS) | 1
  return (index) => mix((start + Math.imul(index, step)) | 0)
}

/** A number derived from a text, at least 0 and less than 1. */
export function fractionOf(text: string): number {
  return hash32(text, OTHER_BASIS) / 2 ** 32
}

/** MurmurHash3's finalizer: a change of one input bit changes about half of the output bits. */
function mix(number: number): number {
  let mixed = number ^ (number >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
