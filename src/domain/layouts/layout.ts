import type { Endpoint, EndpointProblem, EndpointRecord, LeaseId } from '../endpoint.js'

/** All endpoints of one key. They share name, version, weight and id, which are read from the first. */
export type EndpointRecords = readonly [EndpointRecord, ...EndpointRecord[]]

/** A key with an unusable value: the endpoint that the key alone names, and the problem. */
export interface Unusable extends Pick<EndpointRecord, 'service' | 'version' | 'addr'> {
  readonly kind: 'unusable'
  readonly problem: Exclude<EndpointProblem, { kind: 'not-dialled' }>
}

/** A key that the layout's writers create beside registrations: a directory, configuration. */
export interface NotAnEndpoint {
  readonly kind: 'not-an-endpoint'
  /** A noun for messages, such as `a directory`. */
  readonly purpose: string
}

/** A key and its value as a layout reads them. */
export type Decoded =
  | { readonly kind: 'endpoints'; readonly records: EndpointRecords }
  | Unusable
  | NotAnEndpoint

/** The result of a layout's `read` for a key that is not a registration. @param purpose a noun for messages */
export function notAnEndpoint(purpose: string): NotAnEndpoint {
  return { kind: 'not-an-endpoint', purpose }
}

/** Thrown while a layout reads a value, and turned into the `problem` of its endpoint. It is data, not an Error. */
export class Problem {
  /** @param text a clause for messages, such as `value is not JSON` */
  constructor(readonly text: string) {}
}

/** A remark about an endpoint that has no problem. */
export interface Hint {
  readonly code: string
  /** A clause for messages. */
  readonly text: string
}

/** A value as its text and, if it is a JSON object, its members. */
export interface Value {
  readonly text: string
  readonly members: Readonly<Record<string, unknown>> | null
}

/**
 * The evidence by which the values of a layout are recognised. If the layout of a key is not given, all layouts
 * are tried in this order, and those of one kind in the order of `LAYOUTS`:
 *
 * - `narrower-members`: a superset of members that a layout of the next kind would claim
 * - `members`: members that together no other layout writes
 * - `common-members`: members that other documents also have, such as `name` and `addr`
 * - `key`: any value under keys of a distinctive form
 * - `text`: a text such as an address, under keys of any form
 * - `rest`: other evidence, such as a key that ends in `tcp@host:port`
 */
export type ClaimedBy = (typeof CLAIM_ORDER)[number]

export const CLAIM_ORDER = ['narrower-members', 'members', 'common-members', 'key', 'text', 'rest'] as const

/**
 * One way of writing a registry: converts keys and values to endpoints, and back. Pure. Its keys begin with a base,
 * which most writers can set; a layout object has one base, initially the writers' default.
 */
export interface Layout {
  readonly name: string
  readonly base: string
  /** The form of its keys, for messages. */
  readonly keys: string
  /** Default TTL of its writers, in seconds; 0 for no lease. */
  readonly defaultTtlSeconds: number
  /** Whether a key without a lease is an error: it would outlive its writer. */
  readonly wantsLease: boolean
  /** The reason why it cannot carry a weight, or null. */
  readonly weightless: string | null
  /** The reason why it is read-only, or null. */
  readonly readOnly: string | null
  /** Whether its keys are configuration: they are recognised, but their values are not decoded. */
  readonly isConfiguration: boolean
  /** Default weight of its writers. */
  readonly firstWeight: number
  /** Whether a registration has an id: never, optionally, always (generated if not given), or always (to be given). */
  readonly id: 'none' | 'optional' | 'made' | 'required'
  readonly hasVersion: boolean
  /** Whether service names may contain slashes. */
  readonly allowsSlashes: boolean
  /** The evidence that `claims` uses, which decides the order of detection: see `ClaimedBy`. */
  readonly claimedBy: ClaimedBy
  /**
   * Whether keys under its usual base belong to it even if their values have no distinctive mark. False for a base
   * that other layouts also use, and for a layout that claims every value under its base.
   */
  readonly ownsBase: boolean
  /** The same layout at another base. */
  at(base: string): Layout
  /** The base of a key of this layout's form; null for a key of another form. */
  baseOf(key: string): string | null
  /** Whether to read the value of a key of this form when listing all services. */
  isLikely(key: string): boolean
  /** Whether a value looks like one of its writers', valid or not. Called in the order of `claimedBy`. */
  claims(value: Value, key: string): boolean
  /** The prefix of one service's keys, or of all keys. Never matches a longer service name. */
  prefix(service?: string): string
  /** Never throws: a value that cannot be read is `unusable`. */
  decode(key: string, value: Uint8Array): Decoded
  /**
   * @param lease the lease of the key, for layouts with the lease in the key
   * @throws DiscoError USAGE when the layout cannot write these names
   */
  encode(
    registrations: EndpointRecords,
    lease: LeaseId | null,
  ): { readonly key: string; readonly value: Uint8Array }
  /**
   * A sentence about clients of this layout that are known not to apply a new weight at once. Null if no such client is
   * known; there may still be some.
   */
  readonly weightCaveat: string | null
  /** The same value with another weight: no other byte changes. */
  withWeight(value: Uint8Array, weight: number): Uint8Array
  /** A remark about the endpoint that only this layout needs; null for none. */
  hint(endpoint: Pick<Endpoint, keyof EndpointRecord | 'lease'>): Hint | null
}
