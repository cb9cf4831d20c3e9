/** A registry as a file: what `disco export` writes, and `disco apply` and `disco diff --against` read. */
export interface RegistryFileDoc {
  readonly schema: typeof REGISTRY_FILE_SCHEMA
  /** The revision of the export; of its first read if it took several. Null in a file written by hand. */
  readonly rev: string | null
  /** The prefix of all keys (`--root`); empty if keys have no such prefix. */
  readonly root: string
  /** The conditions (`-l`, `--host`) that selected the endpoints; null if the file has whole services. */
  readonly selection: string | null
  readonly endpoints: readonly EndpointEntry[]
}

export const REGISTRY_FILE_SCHEMA = 'disco.registry/v1'

/**
 * One endpoint of a file. Its layout writes key and value from the fields. `value` or `valueBase64` is present if the
 * layout would write other bytes than the stored ones.
 */
export interface EndpointEntry {
  readonly service: string
  /** Endpoints with the same key are the addresses of one registration. */
  readonly addr: string
  /** Empty if the registration has no version. */
  readonly version: string
  /** 0 means drained; null if the layout carries no weight. */
  readonly weight: number | null
  /** Without the entry `weight` if the layout stores the weight there. */
  readonly metadata: Readonly<Record<string, string>>
  readonly id?: string
  readonly layout: string
  readonly key: string
  /** Whether the key had a lease, so that it would expire if its owner stopped. */
  readonly leased: boolean
  /** The granted TTL of the lease; null if there is no lease, or if the TTL was not read. */
  readonly grantedTtlSeconds: number | null
  /** Why gRPC does not dial the endpoint. For information only: `disco apply` derives it from the value. */
  readonly problem?: string
  /** The stored value, if the layout would write other bytes from the fields, and the value is UTF-8. */
  readonly value?: string
  /** The stored value in base64, under the same condition, if the value is not UTF-8. */
  readonly valueBase64?: string
}
