import type { DrainResult } from '../../agent/drain.js'
import { roundShare, type WeightChangeDoc } from '../../domain/documents.js'
import type { Endpoint } from '../../domain/endpoint.js'
import { findLayout, type Hint } from '../../domain/layouts/index.js'
import type { Unregistered } from '../../registry/unregister.js'
import type { WeightChanged } from '../../registry/weight.js'
import type { LeftOut } from '../../registry/weight-targets.js'
import { hintsOf } from '../endpoints/document.js'

export interface WeightDoc {
  readonly schema: 'disco.weight/v1'
  readonly service: string
  readonly rev: string
  readonly changes: readonly EndpointChangeDoc[]
  /** Endpoints that a change of a whole service did not touch, with the reason. */
  readonly leftOut: readonly LeftOutDoc[]
  /** Whether nothing was written, and `changes` lists what would be. */
  readonly dryRun: boolean
}

/** A change of weights over all services. */
export interface WeightsDoc {
  readonly schema: 'disco.weights/v1'
  readonly services: readonly WeightDoc[]
}

interface LeftOutDoc {
  readonly key: string
  readonly addr: string
  readonly reason: LeftOut['reason']
  readonly text: string
}

interface EndpointChangeDoc extends WeightChangeDoc {
  readonly share: { readonly from: number; readonly to: number }
  readonly lease: string | null
  /** False if nothing was written, because the endpoint already had the weight `to`. */
  readonly written: boolean
  /** Consequences of the new weight, and clients that are known to ignore it. */
  readonly hints: readonly Hint[]
}

export function weightDoc(
  service: string,
  { revision, changes, leftOut }: WeightChanged,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): WeightDoc {
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
    dryRun,
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
  /** Whether nothing was removed, and `removed` lists what would be. */
  readonly dryRun: boolean
}

/** A removal over all services. */
export interface UnregistersDoc {
  readonly schema: 'disco.unregisters/v1'
  readonly services: readonly UnregisterDoc[]
}

export function unregisterDoc(
  service: string,
  { revision, removed }: Pick<Unregistered, 'revision' | 'removed'>,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): UnregisterDoc {
  return {
    schema: 'disco.unregister/v1',
    service,
    rev: String(revision),
    removed: removed.map(({ key, addr, lease }) => ({
      key,
      addr,
      lease,
    })),
    dryRun,
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
  /** Whether the drain was interrupted: its endpoints are then still registered, at weight 0. */
  readonly interrupted: boolean
  /** Whether nothing was changed, and the document shows what would be drained. */
  readonly dryRun: boolean
}

/** A drain of several keys. */
export interface DrainsDoc {
  readonly schema: 'disco.drains/v1'
  readonly drains: readonly DrainDoc[]
}

/** A document for each key that was drained. */
export function drainDocs(
  service: string,
  { endpoints, ...drained }: DrainResult | PlannedDrain,
  settings: { readonly graceMs: number },
): DrainDoc[] {
  const keys = [...new Set(endpoints.map(({ endpoint }) => endpoint.key))]
  return keys.map((key) => {
    const own = endpoints.filter(({ endpoint }) => endpoint.key === key)
    return drainDoc(service, { ...drained, endpoints: own }, settings)
  })
}

/** A drain that was not carried out. */
export type PlannedDrain = Omit<DrainResult, 'end'> & { readonly end: 'planned' }

interface DrainedEndpointDoc {
  readonly addr: string
  readonly version: string
  /** Null if the previous value could not be read. */
  readonly from: number | null
}

function drainDoc(
  service: string,
  { revision, endpoints, end }: DrainResult | PlannedDrain,
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
    unregistered: end === 'unregistered' || end === 'gone',
    interrupted: end === 'interrupted',
    dryRun: end === 'planned',
  }
}
