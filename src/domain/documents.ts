import type { Endpoint } from './endpoint.js'
import type { DiscoError, ErrorCode } from './errors.js'

/** An error in JSON: of the command line under --json, and of a registrar's HTTP handler. */
export interface ErrorDoc {
  readonly error: {
    readonly code: ErrorCode
    readonly message: string
    readonly hint: string
    readonly exit: number
  }
}

export function errorDoc({ code, message, suggestions, exit }: DiscoError): ErrorDoc {
  return { error: { code, message, hint: suggestions.join('\n'), exit } }
}

/** The registry of an endpoint, if there are several. */
export function ofRegistry({ origin }: Pick<Endpoint, 'origin'>): { readonly registry?: string } {
  return origin ? { registry: origin.registry } : {}
}

/** An endpoint in etcd, in the JSON of the tool and of a registrar's HTTP handler. */
export interface StoredEndpointDoc {
  readonly key: string
  readonly version: string
  readonly addr: string
  readonly weight: number
  /** From 0 to 1, rounded to four decimals. */
  readonly share: number
  /** The lease id in hex, as etcdctl prints it; null if the key has no lease. */
  readonly lease: string | null
  /** The remaining time of the lease; null if there is no lease, or if it is not known. */
  readonly ttlSeconds: number | null
  /** The granted TTL of the lease; null if there is no lease, or if it is not known. */
  readonly grantedTtlSeconds: number | null
  readonly createRevision: string
  readonly modRevision: string
  readonly metadata: Readonly<Record<string, string>>
}

/** A weight change, in the JSON of the tool and of a registrar's HTTP handler. */
export interface WeightChangeDoc {
  readonly key: string
  readonly addr: string
  /** Null if the previous weight could not be read; the change has replaced it. */
  readonly from: number | null
  readonly to: number
}

/** A share from 0 to 1 for documents, rounded to four decimals. */
export function roundShare(fraction: number): number {
  return Math.round(fraction * 10_000) / 10_000
}
