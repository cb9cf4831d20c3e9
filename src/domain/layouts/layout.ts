import type { Endpoint, EndpointProblem, EndpointRecord, LeaseId } from '../endpoint.js'

/** All endpoints of one key. They share name, version, weight and id, which are read from the first. */
export type EndpointRecords = readonly [EndpointRecord, ...EndpointRecord[]]

/** A key whose value cannot be used: the endpoint that the key alone names, and why. */
export interface Unusable extends Pick<EndpointRecord, 'service' | 'version' | 'addr'> {
  readonly kind: 'unusable'
  readonly problem: Exclude<EndpointProblem, { kind: 'not-dialled' }>
}

/** A key that the layout's writers make beside registrations: a directory, configuration. */
export interface NotAnEndpoint {
  readonly kind: 'not-an-endpoint'
  /** A noun for people, such as `a directory`. */
  readonly purpose: string
}

/** A key and its value as a layout reads them. */
export type Decoded =
  | { readonly kind: 'endpoints'; readonly records: EndpointRecords }
  | Unusable
  | NotAnEndpoint

/** What a layout's `read` returns for a key that is not a registration. @param purpose a noun for people */
export function notAnEndpoint(purpose: string): NotAnEndpoint {
  return { kind: 'not-an-endpoint', purpose }
}

/** Thrown while a layout reads a value, and turned into the `problem` of its endpoint. It is data, not an Error. */
export class Problem {
  /** @param text a clause for people, such as `value is not JSON` */
  constructor(readonly text: string) {}
}

/** A remark about an endpoint that has no problem. */
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
 * How the values of a layout are recognised. Where the layout of a key is not given, all layouts are asked in this
 * order, and those of one kind in the order of `LAYOUTS`:
 *
 * - `narrower-members`: members that the next kind would claim as well, and more
 * - `members`: members that together no other layout writes
 * - `common-members`: members that other documents have as well, such as `name` and `addr`
 * - `key`: any value under keys of a form of its own
 * - `text`: a text such as an address, under keys of any form
 * - `rest`: what is left, such as a key that ends in `tcp@host:port`
 */
export type ClaimedBy = (typeof CLAIM_ORDER)[number]

export const CLAIM_ORDER = ['narrower-members', 'members', 'common-members', 'key', 'text', 'rest'] as const

/**
 * One way of writing a registry: keys and values to endpoints, and back. Pure. Its keys begin with a base,
 * which most writers can set; a layout is always at one base, first at its writers' own default.
 */
export interface Layout {
  readonly name: string
  readonly base: string
  /** The form of its keys, for people. */
  readonly keys: string
  /** Default TTL of its writers, in seconds; 0 for no lease. */
  readonly defaultTtlSeconds: number
  /** Whether a key without a lease is an error: it would outlive its writer. */
  readonly wantsLease: boolean
  /** Why it cannot carry a weight, or null. */
  readonly weightless: string | null
  /** Why it is read-only, or null. */
  readonly readOnly: string | null
  /** Recognised as configuration; its values are not decoded. */
  readonly isConfiguration: boolean
  /** Default weight of its writers. */
  readonly firstWeight: number
  /** What becomes of an id: it has no place, may be left out, is made up, or has to be given. */
  readonly id: 'none' | 'optional' | 'made' | 'required'
  readonly hasVersion: boolean
  /** Whether a service's name may contain slashes. */
  readonly allowsSlashes: boolean
  /** What `claims` goes by, which decides who is asked first: see `ClaimedBy`. */
  readonly claimedBy: ClaimedBy
  /**
   * Whether keys under its usual base are its own even where their values have no mark. Not for a base that other
   * layouts use too, nor for a layout that claims every value under it anyway.
   */
  readonly ownsBase: boolean
  at(base: string): Layout
  /** The base that a key of this form has; null where it has not this form. */
  baseOf(key: string): string | null
  /** Whether it is worth it to read the value of a key of this form that nobody asked for by service. */
  isLikely(key: string): boolean
  /** Whether a value looks as its writers make it, whatever is wrong with it. Asked in the order of `claimedBy`. */
  claims(value: Value, key: string): boolean
  /** The prefix of one service's keys, or of all keys. Never matches a longer service name. */
  prefix(service?: string): string
  /** Never throws: a value that cannot be read is `unusable`. */
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
