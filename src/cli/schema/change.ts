import { type Endpoint, leaseHex } from '../../domain/endpoint.js'
import { roundShare, type WeightChangeDoc } from '../../domain/endpoint-doc.js'
import type { Hint } from '../../domain/layouts/index.js'
import type { Unregistered } from '../../registry/unregister.js'
import type { WeightChanged } from '../../registry/weight.js'
import { hintsOf } from './endpoints.js'

export interface WeightDoc {
  readonly schema: 'disco.weight/v1'
  readonly service: string
  readonly rev: string
  readonly changes: readonly EndpointChangeDoc[]
}

interface EndpointChangeDoc extends WeightChangeDoc {
  readonly share: { readonly from: number; readonly to: number }
  readonly lease: string | null
  /** What the new weight means besides. */
  readonly hints: readonly Hint[]
}

export function weightDoc(service: string, { revision, changes }: WeightChanged): WeightDoc {
  return {
    schema: 'disco.weight/v1',
    ...{ service, rev: String(revision) },
    changes: changes.map(({ endpoint, from, to, shareFraction }) => ({
      ...{ key: endpoint.key, addr: endpoint.addr, from, to },
      share: { from: roundShare(shareFraction.from), to: roundShare(shareFraction.to) },
      lease: endpoint.lease === null ? null : leaseHex(endpoint.lease),
      hints: newHints({ ...endpoint, weight: from }, { ...endpoint, weight: to }),
    })),
  }
}

function newHints(before: Endpoint, after: Endpoint): Hint[] {
  const known = hintsOf(before).map(({ code }) => code)
  return hintsOf(after).filter(({ code }) => !known.includes(code))
}

export interface UnregisterDoc {
  readonly schema: 'disco.unregister/v1'
  readonly service: string
  readonly rev: string
  readonly removed: readonly { readonly key: string; readonly addr: string; readonly lease: string | null }[]
}

export function unregisterDoc(service: string, { revision, removed }: Unregistered): UnregisterDoc {
  return {
    schema: 'disco.unregister/v1',
    ...{ service, rev: String(revision) },
    removed: removed.map(({ key, addr, lease }) => ({
      key,
      addr,
      lease: lease === null ? null : leaseHex(lease),
    })),
  }
}
