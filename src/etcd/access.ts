import { keyText } from '../domain/key-text.js'
import { shellWord } from '../domain/shell-word.js'
import { prefixRange } from './key-range.js'

/** The permission that a request needs, for the message about its denial. */
export interface Access {
  /** `readwrite` for a transaction, which compares the key and writes it. */
  readonly kind: 'read' | 'readwrite'
  readonly key: Buffer
  /** Absent for a single key. */
  readonly rangeEnd?: Buffer | undefined
  /** Whether the request has further keys: etcd does not report which of them it denies. */
  readonly isOneOfSeveral: boolean
}

/** The keys for a message: the key, the prefix, the start of another range, or `every key`. */
export function keysOf(access: Access): string {
  return isEveryKey(access) ? 'every key' : keyText(access.key)
}

/** The command that grants the permission to a role; null if the request does not determine the key or prefix. */
export function grantOf(access: Access): string | null {
  const { kind, key, rangeEnd, isOneOfSeveral } = access
  if (isOneOfSeveral) return null
  const grant = `etcdctl role grant-permission ROLE ${kind}`
  if (isEveryKey(access)) return `${grant} "" --prefix`
  const prefix = keyText(key)
  if (rangeEnd === undefined) return `${grant} ${shellWord(prefix)}`
  // For a later page, the key is not the prefix of the range.
  const isPrefix = prefixRange(prefix).range_end?.equals(rangeEnd) ?? false
  return isPrefix ? `${grant} ${shellWord(prefix)} --prefix` : null
}

/** etcd's notation for the range of all keys is a zero byte at both ends. */
function isEveryKey({ key, rangeEnd }: Access): boolean {
  const isZero = (bytes: Buffer | undefined) => bytes?.length === 1 && bytes[0] === 0
  return isZero(key) && isZero(rangeEnd)
}
