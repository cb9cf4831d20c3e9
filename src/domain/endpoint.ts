/** A position in etcd's history. A number is exact up to 2^53, more revisions than etcd can make. */
export type Revision = number

/** An etcd lease id in decimal: ids exceed 2^53, so they are never numbers. */
export type LeaseId = string

/** As etcdctl prints a lease: 16 digits. */
export function leaseHex(lease: LeaseId): string {
  return BigInt(lease).toString(16).padStart(16, '0')
}

/** What a layout reads from one value: where a service can be reached, and how much it should get. */
export interface EndpointRecord {
  readonly service: string
  /** Empty where the registration names none. */
  readonly version: string
  readonly addr: string
  /** At least 0, whole except where a layout stores floats; 0 is drained, or unset where all have 0. */
  readonly weight: number
  readonly id?: string
  readonly metadata: Readonly<Record<string, string>>
  /** Why gRPC does not dial it although the value is in order: another protocol, no port. */
  readonly notDialled?: string
  /** What only its layout knows, as that names it, so that it can be written again. JSON. */
  readonly extra?: Readonly<Record<string, unknown>>
}

/** One backend of a service, as the registry has it. Its identity is (key, addr). */
export interface Endpoint extends EndpointRecord {
  /**
   * The etcd key; one key may hold several addresses, two keys may share one. A byte that is not UTF-8 is a lone
   * surrogate, U+DC80 to U+DCFF.
   */
  readonly key: string
  readonly layout: string
  /** Why it is listed and never dialled, or null. */
  readonly problem: string | null
  /** The value itself cannot be read, so nothing of it can be changed either. */
  readonly unreadable?: true
  /** The root under which the value would be in its place: it names another key than it stands under. */
  readonly rootHint?: string
  /** Null where the key has no lease and so never expires. */
  readonly lease: LeaseId | null
  readonly createRevision: Revision
  readonly modRevision: Revision
}

/** An endpoint's identity, (key, addr), as one string for maps. */
export type EndpointId = string & { readonly brand: 'EndpointId' }

export function endpointId(endpoint: Pick<Endpoint, 'key' | 'addr'>): EndpointId {
  return `${endpoint.key}\0${endpoint.addr}` as EndpointId
}
