/** A position in etcd's history. A number is exact up to 2^53, more revisions than etcd can make. */
export type Revision = number

/** An etcd lease id in decimal: ids exceed 2^53, so they are never numbers. */
export type LeaseId = string

/** As etcdctl prints a lease: 16 digits. */
export function leaseHex(lease: LeaseId): string {
  return BigInt(lease).toString(16).padStart(16, '0')
}

/**
 * Why an endpoint is listed and never dialled. `text` is a clause for people behind the address or key, such as
 * `value is not JSON`; it may quote the value.
 */
export type EndpointProblem =
  /** The value is in order, but is not for gRPC: another protocol, no port, switched off by its writer. */
  | { readonly kind: 'not-dialled'; readonly text: string }
  /** The value cannot be read. Its weight is unknown, and nothing in it can be changed. */
  | { readonly kind: 'unreadable'; readonly text: string }
  /** The value names the key `belongsAt` instead of its own, so it is not trusted either. */
  | {
      readonly kind: 'misplaced'
      readonly text: string
      readonly belongsAt: string
      /** The root (`--root`) under which key and value would agree; null where none would do. */
      readonly rootHint: string | null
    }

export function notDialled(text: string): EndpointProblem {
  return { kind: 'not-dialled', text }
}

/** Whether the value of its key could be read, so that version, weight and metadata are what etcd has. */
export function isReadable({ problem }: Pick<Endpoint, 'problem'>): boolean {
  return problem === null || problem.kind === 'not-dialled'
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
  /** Why gRPC does not dial it; null or absent where it may. */
  readonly problem?: EndpointProblem | null
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
  /** Why it is listed and never dialled; null where it may be dialled. */
  readonly problem: EndpointProblem | null
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
