/** A registry as a file: what `disco export` writes, and `disco apply` and `disco diff --against` read. */
export interface RegistryFileDoc {
  readonly schema: typeof REGISTRY_FILE_SCHEMA
  /** The revision that was read; of several services, that of the first. Null in a file written by hand. */
  readonly rev: string | null
  /** The prefix of all keys (`--root`); empty for none. */
  readonly root: string
  /** The conditions (`-l`, `--host`) of an export of some endpoints; null for whole services. */
  readonly selection: string | null
  readonly endpoints: readonly EndpointEntry[]
}

export const REGISTRY_FILE_SCHEMA = 'disco.registry/v1'

/**
 * One endpoint of a file. The fields state the whole registration, so that its layout writes key and value from them;
 * where the stored value has more than they can state, it stands beside them.
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
  /** Whether the key was under a lease, and so expires without its owner. */
  readonly leased: boolean
  /** What each keep-alive of that lease grants; null without a lease, and where it was not asked for. */
  readonly grantedTtlSeconds: number | null
  /** Why gRPC does not dial it. For the reader: the value has the reason itself. */
  readonly problem?: string
  /** The stored value, where it has fields, spellings or an order of its own. */
  readonly value?: string
  /** The same for a value that is not UTF-8. */
  readonly valueBase64?: string
}
