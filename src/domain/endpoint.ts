import type { Origin } from './origins.js'

/** A position in etcd's history. A number is exact up to 2^53, more revisions than etcd can create. */
export type Revision = number

/** An etcd lease id: 16 hex digits, as in JSON output and in etcdctl. Ids exceed 2^53, so they are never numbers. */
export type LeaseId = string

/** The lease id of a 64-bit integer in decimal, the form of etcd's API. */
export function leaseIdOf(decimal: string): LeaseId {
  return BigInt.asUintN(64, BigInt(decimal)).toString(16).padStart(16, '0')
}

/** The inverse of {@link leaseIdOf}. */
export function leaseDecimal(lease: LeaseId): string {
  return BigInt.asIntN(64, BigInt(`0x${lease}`)).toString()
}

/**
 * The reason why gRPC never dials an endpoint that is listed. `text` is a clause that follows the address or key, such
 * as `value is not JSON`; it may quote the value.
 */
export type EndpointProblem =
  /** The value is valid, but not for gRPC: another protocol, no port, or disabled by its writer. */
  | { readonly kind: 'not-dialled'; readonly text: string }
  /** The value cannot be read. Its weight is unknown, and no part of it can be changed. */
  | { readonly kind: 'unreadable'; readonly text: string }
  /** The value names the key `belongsAt`, but was read from another key, so it is not trusted. */
  | {
      readonly kind: 'misplaced'
      readonly text: string
      readonly belongsAt: string
      /** The root (`--root`) under which key and value would agree; null if no root would. */
      readonly rootHint: string | null
    }

export function notDialled(text: string): EndpointProblem {
  return { kind: 'not-dialled', text }
}

/** Whether the value was read and agrees with its key, so that version, weight and metadata are those in etcd. */
export function isReadable({ problem }: Pick<Endpoint, 'problem'>): boolean {
  return problem === null || problem.kind === 'not-dialled'
}

/** The contents of one value, as read by a layout: the addresses and the weight of a registration. */
export interface EndpointRecord {
  readonly service: string
  /** Empty if the registration has no version. */
  readonly version: string
  readonly addr: string
  /** At least 0; an integer, except in layouts that store floats. 0 means drained, or unset if all endpoints have 0. */
  readonly weight: number
  readonly id?: string
  readonly metadata: Readonly<Record<string, string>>
  /** Why gRPC never dials the endpoint; null or absent for a dialable endpoint. */
  readonly problem?: EndpointProblem | null
  /** Fields that only the layout knows, under the layout's names, as JSON: needed to write the value back unchanged. */
  readonly extra?: Readonly<Record<string, unknown>>
}

/** One backend of a service, as registered. Its identity is (key, addr), and the registry if there are several. */
export interface Endpoint extends EndpointRecord {
  /**
   * The etcd key. One key may hold several addresses, and several keys may hold the same address. A byte that is not
   * UTF-8 is a lone surrogate, U+DC80 to U+DCFF.
   */
  readonly key: string
  readonly layout: string
  /** Why gRPC never dials the endpoint, although it is listed; null for a dialable endpoint. */
  readonly problem: EndpointProblem | null
  /** Null if the key has no lease and therefore never expires. */
  readonly lease: LeaseId | null
  readonly createRevision: Revision
  readonly modRevision: Revision
  /** Its registry, if several are read together. */
  readonly origin?: Origin
}

/** The identity of an endpoint as one string, for maps and sets: key, addr, and the registry if there are several. */
export type EndpointId = string & { readonly brand: 'EndpointId' }

export function endpointId({ key, addr, origin }: Pick<Endpoint, 'key' | 'addr' | 'origin'>): EndpointId {
  const id = `${key}\0${addr}`
  return (origin === undefined ? id : `${origin.registry}\0${id}`) as EndpointId
}
