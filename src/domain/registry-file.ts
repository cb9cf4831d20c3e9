/** A registry as a file: what `disco export` writes, and `disco apply` and `disco diff --against` read. */
export interface RegistryFileDoc {
  readonly schema: typeof REGISTRY_FILE_SCHEMA
  /** The revision of the read; if several services were read, of the first. Null in a file written by hand. */
  readonly rev: string | null
  /** The prefix of all keys (`--root`); empty for none. */
  readonly root: string
  /** The conditions (`-l`, `--host`) of an export of some endpoints; null for whole services. */
  readonly selection: string | null
  readonly endpoints: readonly EndpointEntry[]
}

export const REGISTRY_FILE_SCHEMA = 'disco.registry/v1'

/**
 * One endpoint of a file. Its layout writes key and value from the fields. `value` or `valueBase64` is added if the
 * stored value has more than the fields can state.
 */
export interface EndpointEntry {
  readonly service: string
  /** Endpoints with the same key are the addresses of one registration. */
  readonly addr: string
  /** Empty for none. */
  readonly version: string
  /** 0 is drained; null if the layout carries no weight. */
  readonly weight: number | null
  /** Without the weight, where the layout stores it as metadata. */
  readonly metadata: Readonly<Record<string, string>>
  readonly id?: string
  readonly layout: string
  readonly key: string
  /** Whether the key had a lease, so that it expires without its owner. */
  readonly leased: boolean
  /** The granted TTL of that lease; null without a lease, and if it was not read. */
  readonly grantedTtlSeconds: number | null
  /** Why gRPC does not dial it. For information only: the reason follows from the value. */
  readonly problem?: string
  /** The stored value, if its layout would write other bytes from the fields. */
  readonly value?: string
  /** The same for a value that is not UTF-8. */
  readonly valueBase64?: string
}
