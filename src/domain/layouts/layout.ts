import type { Registered } from '../endpoint.js'

/** What can be told of a key whose value cannot be used: where it stands, and why. */
export interface Unreadable extends Pick<Registered, 'service' | 'version' | 'addr'> {
  /** A clause for people, such as `value is not JSON`; it may quote the value. */
  readonly problem: string
}

export type Decoded = readonly [Registered, ...Registered[]] | Unreadable

export function isUnreadable(decoded: Decoded): decoded is Unreadable {
  return 'problem' in decoded
}

/** One way of writing a registry: keys and values to endpoints, and back. Pure. */
export interface Layout {
  readonly name: string
  /** The lease that writers of this layout take when nothing else is said. */
  readonly defaultTtlSeconds: number
  /** The prefix of one service's keys, or of all keys. Never matches a longer service name. */
  prefix(service?: string): string
  /** Never throws: what cannot be read is named. */
  decode(key: string, value: Uint8Array): Decoded
  /** @throws DiscoError USAGE when the layout cannot write these names. */
  encode(registered: Registered): { readonly key: string; readonly value: Uint8Array }
  /** The same value with another weight: no other byte changes. */
  withWeight(value: Uint8Array, weight: number): Uint8Array
}
