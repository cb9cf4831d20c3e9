import type { Endpoint, EndpointProblem, EndpointRecord, LeaseId } from '../endpoint.js'

/** All endpoints of one key. They have the same service, version and weight, which `encode` takes from the first. */
export type EndpointRecords = readonly [EndpointRecord, ...EndpointRecord[]]

/** A key with an unusable value: the fields of the endpoint that the key alone gives, and the problem. */
export interface Unusable extends Pick<EndpointRecord, 'service' | 'version' | 'addr'> {
  readonly kind: 'unusable'
  readonly problem: Exclude<EndpointProblem, { kind: 'not-dialled' }>
}

/** A key that the layout's writers create beside registrations, such as a directory or configuration. */
export interface NotAnEndpoint {
  readonly kind: 'not-an-endpoint'
  /** A noun for messages, such as `a directory`. */
  readonly purpose: string
}

/** A key and its value as a layout reads them. */
export type DecodedKey =
  | { readonly kind: 'endpoints'; readonly records: EndpointRecords }
  | Unusable
  | NotAnEndpoint

/** The result of a layout's `read` for a key that is not a registration. @param purpose a noun for messages */
export function notAnEndpoint(purpose: string): NotAnEndpoint {
  return { kind: 'not-an-endpoint', purpose }
}

/**
 * Thrown while a layout reads a value, and converted to the `problem` of the endpoint. Not an Error, since its stack is
 * not needed.
 */
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
 * The evidence by which the values of a layout are recognised. To detect the layout of a key, all layouts are tried in
 * this order, and those of one kind in the order of `LAYOUTS`:
 *
 * - `narrower-members`: members that a layout of the next kind would also claim, with further evidence
 * - `members`: members that together no other layout writes
 * - `common-members`: members that other documents also have, such as `name` and `addr`
 * - `key`: any value under keys of a distinctive form
 * - `text`: a text such as an address, under keys of a common form
 * - `rest`: other evidence, such as a key that ends in `tcp@host:port`
 */
export type ClaimedBy = (typeof CLAIM_ORDER)[number]

export const CLAIM_ORDER = ['narrower-members', 'members', 'common-members', 'key', 'text', 'rest'] as const

/**
 * A format of registrations in etcd: converts keys and values to endpoints, and back. Pure. The keys of a layout begin
 * with a base, which most writers can set. A layout object has one base: the writers' default, or that given to `at`.
 */
export interface Layout {
  readonly name: string
  readonly base: string
  /** The form of the keys, for messages. */
  readonly keys: string
  /** Default TTL of the layout's writers, in seconds; 0 if they use no lease by default. */
  readonly defaultTtlSeconds: number
  /** Whether a key should have a lease: without one it would outlive its writer. */
  readonly wantsLease: boolean
  /** The reason why the layout cannot carry a weight, as a clause; null if it can. */
  readonly weightless: string | null
  /** The reason why disco cannot write registrations in this layout, as a clause; null if it can. */
  readonly readOnly: string | null
  /** Whether the keys are configuration, not registrations: their values are not decoded. */
  readonly isConfiguration: boolean
  /** Default weight of the layout's writers. */
  readonly firstWeight: number
  /** Whether registrations have an id. `made`: always; generated if not given. `required`: always; must be given. */
  readonly id: 'none' | 'optional' | 'made' | 'required'
  readonly hasVersion: boolean
  /** Whether service names may contain slashes. */
  readonly allowsSlashes: boolean
  /** The evidence that `claims` uses, which decides the order of detection: see `ClaimedBy`. */
  readonly claimedBy: ClaimedBy
  /**
   * Whether keys under the default base belong to the layout even if `claims` is false for their values. Of the layouts
   * with the same base, at most one owns it. False for a layout that claims every value under its base.
   */
  readonly ownsBase: boolean
  /** The same layout at another base. */
  at(base: string): Layout
  /** The base of a key that has this layout's form; null for a key of another form. */
  baseOf(key: string): string | null
  /** Whether a key may be a registration, so that a list of all services reads its value. */
  isLikely(key: string): boolean
  /** Whether a value, valid or not, looks as if this layout's writers wrote it. Called in the order of `claimedBy`. */
  claims(value: Value, key: string): boolean
  /** The prefix of one service's keys, or of all keys if no service is given. Never matches a longer service name. */
  prefix(service?: string): string
  /** Never throws: a value that cannot be read is `unusable`. */
  decode(key: string, value: Uint8Array): DecodedKey
  /**
   * The key and value of a registration.
   *
   * @param lease the lease of the key, which some layouts write into the key
   * @throws DiscoError USAGE if the layout cannot write these names
   */
  encode(
    registrations: EndpointRecords,
    lease: LeaseId | null,
  ): { readonly key: string; readonly value: Uint8Array }
  /** A sentence about clients of this layout that do not apply a new weight at once. Null if none is known. */
  readonly weightCaveat: string | null
  /** The same value with another weight; no other byte changes. @throws DiscoError CONFLICT for a weightless layout */
  withWeight(value: Uint8Array, weight: number): Uint8Array
  /** A remark about the endpoint that follows from rules of this layout; null if there is none. */
  hint(endpoint: Pick<Endpoint, keyof EndpointRecord | 'lease'>): Hint | null
}
