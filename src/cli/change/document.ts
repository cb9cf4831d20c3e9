import type { Drained } from '../../agent/drain.js'
import { roundShare, type WeightChangeDoc } from '../../domain/documents.js'
import type { Endpoint } from '../../domain/endpoint.js'
import { findLayout, type Hint } from '../../domain/layouts/index.js'
import type { Unregistered } from '../../registry/unregister.js'
import type { WeightChanged } from '../../registry/weight.js'
import { hintsOf } from '../endpoints/document.js'

export interface WeightDoc {
  readonly schema: 'disco.weight/v1'
  readonly service: string
  readonly rev: string
  readonly changes: readonly EndpointChangeDoc[]
  /** Endpoints that a change of a whole service did not touch, with the reason. */
  readonly leftOut: readonly LeftOutDoc[]
}

interface LeftOutDoc {
  readonly key: string
  readonly addr: string
  readonly reason: 'drained' | 'unreadable' | 'weightless' | 'gone'
  readonly text: string
}

interface EndpointChangeDoc extends WeightChangeDoc {
  readonly share: { readonly from: number; readonly to: number }
  readonly lease: string | null
  /** False where the endpoint already had that weight: nothing was written. */
  readonly written: boolean
  /** Consequences of the new weight, and clients that are known to ignore it. */
  readonly hints: readonly Hint[]
}

export function weightDoc(service: string, { revision, changes, leftOut }: WeightChanged): WeightDoc {
  return {
    schema: 'disco.weight/v1',
    service,
    rev: String(revision),
    changes: changes.map(({ endpoint, from, to, written, shareFraction }) => ({
      key: endpoint.key,
      addr: endpoint.addr,
      from,
      to,
      written,
      share: { from: roundShare(shareFraction.from), to: roundShare(shareFraction.to) },
      lease: endpoint.lease,
      hints: hintsOfChange(endpoint, from),
    })),
    leftOut: leftOut.map(({ endpoint, reason, text }) => ({
      key: endpoint.key,
      addr: endpoint.addr,
      reason,
      text,
    })),
  }
}

function hintsOfChange(endpoint: Endpoint, from: number | null): Hint[] {
  const known = from === null ? [] : hintsOf({ ...endpoint, weight: from }).map(({ code }) => code)
  const caveat = endpoint.weight === from ? null : (findLayout(endpoint.layout)?.weightCaveat ?? null)
  return [
    ...hintsOf(endpoint).filter(({ code }) => !known.includes(code)),
    ...(caveat === null ? [] : [{ code: 'weight-ignored', text: caveat }]),
  ]
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
    service,
    rev: String(revision),
    removed: removed.map(({ key, addr, lease }) => ({
      key,
      addr,
      lease,
    })),
  }
}

export interface DrainDoc {
  readonly schema: 'disco.drain/v1'
  readonly service: string
  readonly rev: string
  readonly key: string
  readonly lease: string | null
  readonly graceSeconds: number
  /** All addresses under the key: they share its weight, and were removed together. */
  readonly endpoints: readonly DrainedEndpointDoc[]
  readonly unregistered: boolean
  /** It is still registered, at weight 0. */
  readonly interrupted: boolean
}

interface DrainedEndpointDoc {
  readonly addr: string
  readonly version: string
  /** Null where the previous value could not be read. */
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
    service,
    rev: String(revision),
    key,
    lease,
    graceSeconds: graceMs / 1000,
    endpoints: endpoints.map(({ endpoint: { addr, version }, from }) => ({ addr, version, from })),
    unregistered: end !== 'interrupted',
    interrupted: end === 'interrupted',
  }
}
