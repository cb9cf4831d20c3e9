import type { Drained } from '../../agent/drain.js'
import { leaseHex } from '../../domain/endpoint.js'

export interface DrainDoc {
  readonly schema: 'disco.drain/v1'
  readonly service: string
  readonly rev: string
  readonly key: string
  readonly lease: string | null
  readonly graceSeconds: number
  /** Every address under the key: they share its weight, and went together. */
  readonly endpoints: readonly DrainedEndpointDoc[]
  readonly unregistered: boolean
  /** It is still registered, at weight 0. */
  readonly interrupted: boolean
}

interface DrainedEndpointDoc {
  readonly addr: string
  readonly version: string
  /** Null where the value could not be read before. */
  readonly from: number | null
}

export function drainDoc(
  service: string,
  { revision, endpoints, end }: Drained,
  { graceMs }: { graceMs: number },
): DrainDoc {
  const { key = '', lease = null } = endpoints[0]?.endpoint ?? {}
  return {
    schema: 'disco.drain/v1',
    ...{ service, rev: String(revision), key },
    lease: lease === null ? null : leaseHex(lease),
    graceSeconds: graceMs / 1000,
    endpoints: endpoints.map(({ endpoint: { addr, version }, from }) => ({ addr, version, from })),
    unregistered: end !== 'interrupted',
    interrupted: end === 'interrupted',
  }
}
