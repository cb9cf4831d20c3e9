import type { Endpoint, EndpointRecord, LeaseId } from '../endpoint.js'

/** All that stands under one key; the first speaks for what they share: name, version, weight, id. */
export type EndpointRecords = readonly [EndpointRecord, ...EndpointRecord[]]

/** What can be told of a key whose value cannot be used: where it stands, and why. */
export interface Unreadable extends Pick<EndpointRecord, 'service' | 'version' | 'addr'> {
  /** A clause for people, such as `value is not JSON`; it may quote the value. */
  readonly problem: string
  /** The key that the value would be written under, where that is another one. */
  readonly belongsAt?: string
}

/** A key that is no registration although the layout's writers put it there: a directory, configuration. */
export interface NoEndpoint {
  readonly purpose: string
}

export type Decoded = EndpointRecords | Unreadable | NoEndpoint

export function isUnreadable(decoded: Decoded): decoded is Unreadable {
  return 'problem' in decoded
}

export function isNoEndpoint(decoded: Decoded): decoded is NoEndpoint {
  return 'purpose' in decoded
}

/** Thrown while a layout reads a value, and turned into the `problem` of its endpoint. It is data, not an Error. */
export class Problem {
  /** @param text a clause for people, such as `value is not JSON` */
  constructor(readonly text: string) {}
}

/** What is worth knowing of an endpoint that is otherwise in order. */
export interface Hint {
  readonly code: string
  /** A clause for people. */
  readonly text: string
}

/** A value as its text and, where it is a JSON object, its members. */
export interface Value {
  readonly text: string
  readonly members: Readonly<Record<string, unknown>> | null
}

/**
 * One way of writing a registry: keys and values to endpoints, and back. Pure. Its keys begin with a base,
 * which most writers can set; a layout is always at one base, first at its writers' own default.
 */
export interface Layout {
  readonly name: string
  readonly base: string
  /** The form of its keys, for people. */
  readonly keys: string
  /** The lease that its writers take when nothing else is said, in seconds; 0 for none. */
  readonly defaultTtlSeconds: number
  /** Whether a key without a lease is out of order: it will not go with whoever wrote it. */
  readonly wantsLease: boolean
  /** Why it cannot carry a weight, or null. */
  readonly weightless: string | null
  /** Why nothing is written in it, or null. */
  readonly readOnly: string | null
  /** Of configuration it is known what it is, and no more. */
  readonly isConfiguration: boolean
  /** The weight that its writers store when nothing else is said. */
  readonly firstWeight: number
  /** What becomes of an id: it has no place, may be left out, is made up, or has to be given. */
  readonly id: 'none' | 'optional' | 'made' | 'required'
  readonly hasVersion: boolean
  /** Whether a service's name may contain slashes. */
  readonly allowsSlashes: boolean
  at(base: string): Layout
  /** The base that a key of this form has; null where it has not this form. */
  baseOf(key: string): string | null
  /** Whether it is worth it to read the value of a key of this form that nobody asked for by service. */
  isLikely(key: string): boolean
  /** Whether a value looks as its writers make it, whatever is wrong with it. */
  claims(value: Value, key: string): boolean
  /** The prefix of one service's keys, or of all keys. Never matches a longer service name. */
  prefix(service?: string): string
  /** Never throws: what cannot be read is named. */
  decode(key: string, value: Uint8Array): Decoded
  /**
   * @param lease the lease that the key will stand under, for keys that are made of it
   * @throws DiscoError USAGE when the layout cannot write these names
   */
  encode(
    registrations: EndpointRecords,
    lease: LeaseId | null,
  ): { readonly key: string; readonly value: Uint8Array }
  /**
   * What is known of clients of this layout that do not apply a new weight at once, as a sentence; null where
   * nothing is known. Never a promise of the opposite.
   */
  readonly weightCaveat: string | null
  /** The same value with another weight: no other byte changes. */
  withWeight(value: Uint8Array, weight: number): Uint8Array
  hint(endpoint: Pick<Endpoint, keyof EndpointRecord | 'lease'>): Hint | null
}
