import type { DiscoError, ErrorCode } from './errors.js'

/** An error as scripts read it, from the command line under --json and from a registrar's HTTP handler. */
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

/** What the tool and a registrar's HTTP handler both say in JSON of an endpoint that etcd has. */
export interface StoredEndpointDoc {
  readonly key: string
  readonly version: string
  readonly addr: string
  readonly weight: number
  /** From 0 to 1, to four digits. */
  readonly share: number
  /** In hex, as etcdctl prints it. */
  readonly lease: string | null
  readonly ttlSeconds: number | null
  readonly grantedTtlSeconds: number | null
  readonly createRevision: string
  readonly modRevision: string
  readonly metadata: Readonly<Record<string, string>>
}

/** What they both say of a change of its weight. */
export interface WeightChangeDoc {
  readonly key: string
  readonly addr: string
  /** Null where the value could not be read before, and the change has mended it. */
  readonly from: number | null
  readonly to: number
}

/** A share as documents give it, to four digits. */
export function roundShare(fraction: number): number {
  return Math.round(fraction * 10_000) / 10_000
}
